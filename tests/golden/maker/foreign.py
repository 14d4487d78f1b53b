"""Weight files of other tools, and what a reader must get from each: `foreign/` and its index."""

import torch
from safetensors.torch import save

from . import caffe_files, hostile_caffe, hostile_torch, torch_files


def all_files():
    """File name -> bytes, and the index."""
    files, index = {}, []
    expected = {}
    caffe, caffe_index, caffe_tensors = caffe_files.all_files()
    expected |= {key: torch.from_numpy(value) for key, value in caffe_tensors.items()}
    files |= caffe
    index += caffe_index
    for module in (torch_files, hostile_torch):
        more, more_index, tensors = module.all_files()
        files |= more
        index += more_index
        expected |= tensors
    more, more_index = hostile_caffe.all_files()
    files |= more
    index += more_index
    files["foreign.safetensors"] = save(expected)
    names = [record["name"] for record in index]
    assert len(set(names)) == len(names) and {record["file"] for record in index} < set(files)
    return files, index
