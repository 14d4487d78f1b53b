//! Every specialisation in the languages of Metal and Direct3D, as naga writes them for wgpu there, for tests run on Vulkan
//! alone. No compiler of theirs is at hand; so this sees what naga cannot write, and one thing that it writes wrong.

use std::collections::BTreeSet;

use naga::back::{hlsl, msl};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::ModuleInfo;

use super::{parse, specialised, steps, validate};
use crate::gpu::Kernel;

fn entry_point() -> Option<(naga::ShaderStage, String)> {
    Some((naga::ShaderStage::Compute, "main".to_owned()))
}

/// In Metal's language, of the least version that has all a kernel needs.
fn metal(kernel: &Kernel, module: &naga::Module, info: &ModuleInfo) -> String {
    let recent = kernel.needs_float_atomics || kernel.enables("wgpu_cooperative_matrix");
    let lang_version = match (recent, kernel.has_int64()) {
        (true, _) => (3, 0),
        (false, true) => (2, 3),
        (false, false) => (2, 1),
    };
    let mut resources = msl::EntryPointResources { sizes_buffer: Some(30), ..Default::default() };
    for binding in 0..kernel.bindings.len() as u32 {
        let target = msl::BindTarget { buffer: Some(binding as msl::Slot), mutable: true, ..Default::default() };
        resources.resources.insert(naga::ResourceBinding { group: 0, binding }, target);
    }
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = msl::Options {
        lang_version,
        per_entry_point_map: [("main".to_owned(), resources)].into(),
        fake_missing_bindings: false,
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..Default::default()
    };
    let pipeline = msl::PipelineOptions { entry_point: entry_point(), ..Default::default() };
    let (source, translation) = msl::write_string(module, info, &options, &pipeline)
        .unwrap_or_else(|error| panic!("{} for Metal: {error}", kernel.name));
    for name in translation.entry_point_names {
        name.unwrap_or_else(|error| panic!("{} for Metal: {error}", kernel.name));
    }
    source
}

/// In Direct3D's, of the oldest shader model that has all a kernel needs.
fn direct3d(kernel: &Kernel, module: &naga::Module, info: &ModuleInfo) -> String {
    let shader_model = match (kernel.enables("f16"), kernel.has_int64() || kernel.has_subgroups()) {
        (true, _) => hlsl::ShaderModel::V6_2,
        (false, true) => hlsl::ShaderModel::V6_0,
        (false, false) => hlsl::ShaderModel::V5_1,
    };
    let options = hlsl::Options {
        shader_model,
        fake_missing_bindings: true,
        restrict_indexing: false,
        force_loop_bounding: false,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: entry_point() };
    let mut source = String::new();
    hlsl::Writer::new(&mut source, &options, &pipeline)
        .write(module, info, None)
        .unwrap_or_else(|error| panic!("{} for Direct3D: {error}", kernel.name));
    source
}

/// A function that is defined more than once in a source for Direct3D, which its compilers refuse. naga defines one for the
/// zero of each type that has a name, an alias too, and calls it after the type that is meant: so two aliases of one vector,
/// both of whose zeros are written (`Rows()`, or a variable in a loop without a value), are one function too many.
fn defined_twice(source: &str) -> Option<&str> {
    let mut seen = BTreeSet::new();
    let definitions = source.lines().filter(|line| {
        let opens = line.ends_with(')') || line.ends_with(") {");
        opens && line.starts_with(|first: char| first.is_ascii_alphabetic()) && line.contains('(')
    });
    definitions.map(|line| line.trim_end_matches(" {")).find(|line| !seen.insert(*line))
}

#[test]
fn every_specialisation_is_written_for_metal_and_direct3d() {
    let mut seen = BTreeSet::new();
    for step in steps() {
        let kernel = step.kernel;
        if !seen.insert(format!("{} {:?}", kernel.name, step.constants)) {
            continue;
        }
        let (module, info) = specialised(&step);
        assert!(metal(kernel, &module, &info).contains("kernel void main_("), "{}", kernel.name);
        // wgpu offers neither there.
        if !kernel.needs_float_atomics && !kernel.enables("wgpu_cooperative_matrix") {
            let source = direct3d(kernel, &module, &info);
            assert!(source.contains("[numthreads("), "{}", kernel.name);
            assert_eq!(defined_twice(&source), None, "{}", kernel.name);
        }
    }
    assert!(seen.len() > 200, "{}", seen.len());
}

#[test]
fn zeros_of_two_aliases_are_seen() {
    let shader = |zero: &str| {
        format!(
            "alias A = vec4<f32>; alias B = vec4<f32>;
             @group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
             fn a(i: u32) -> A {{ return select(A(), y[i], i > 2); }}
             @compute @workgroup_size(1) fn main() {{ y[0] = select({zero}, a(1), y[2].x > 1); }}"
        )
    };
    let kernel = Kernel { name: "planted", parts: &[], bindings: &[], needs_float_atomics: false };
    let source = |zero| {
        let module = parse(&shader(zero), "planted");
        let info = validate(&module, "planted", [false, false]);
        direct3d(&kernel, &module, &info)
    };
    assert_eq!(defined_twice(&source("B()")), Some("float4 ZeroValuefloat4()"));
    assert_eq!(defined_twice(&source("B(0)")), None);
}
