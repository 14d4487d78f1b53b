//! Checks of every shader against the Rust side, without an adapter: that it is valid WGSL in every specialisation that
//! the planner asks for, and that bindings, uniforms, overrides, sizes and header agree with the tables in this crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod comparisons;
mod page;
mod translations;

use std::collections::{BTreeMap, BTreeSet};

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

use super::{
    add, argmax_channels, batch_norm, ceiling, colorize, concat, conv_transpose2d, conv2d, convert, crop, crop_add,
    kernels, local_response_norm, max_pool2d, max_unpool2d, normalize, pad, relu, scale, slice, softmax_channels, zero,
};
use crate::error::Result;
use crate::gpu::{Access, Caps, Kernel, KernelPlan, Part, Step, unroll};

/// A kernel, and name, WGSL type and offset of every field of its uniforms.
pub(crate) type ParamsExhibit = (&'static Kernel, &'static [(&'static str, &'static str, usize)]);

/// Devices on which plans may take different kernels: a GPU, CPU drivers without and with integers of 64 bits, and with subgroups
/// besides.
pub(crate) const KINDS: [Caps; 4] = [
    Caps::WEBGPU,
    Caps { software: true, ..Caps::WEBGPU },
    Caps { software: true, int64: true, ..Caps::WEBGPU },
    Caps { software: true, int64: true, subgroup: Some(8), ..Caps::WEBGPU },
];

/// What an operator's file shows to these checks.
pub(crate) struct Exhibit {
    /// The uniforms of each of its kernels: name, WGSL type and offset of every field.
    pub(crate) params: Vec<ParamsExhibit>,
    /// Plans that between them run each of its kernels.
    pub(crate) plans: Vec<Result<KernelPlan>>,
}

fn exhibits() -> Vec<Exhibit> {
    vec![
        conv2d::exhibit(),
        conv_transpose2d::exhibit(),
        zero::exhibit(),
        max_pool2d::exhibit(),
        max_unpool2d::exhibit(),
        relu::exhibit(),
        add::exhibit(),
        scale::exhibit(),
        batch_norm::exhibit(),
        local_response_norm::exhibit(),
        crop::exhibit(),
        pad::exhibit(),
        crop_add::exhibit(),
        concat::exhibit(),
        slice::exhibit(),
        softmax_channels::exhibit(),
        argmax_channels::exhibit(),
        normalize::exhibit(),
        colorize::exhibit(),
        convert::exhibit(),
        ceiling::exhibit(),
    ]
}

/// Keys of the comment that opens a kernel's file, in order.
const HEADER: [&str; 10] =
    ["Computes", "Layout", "Bindings", "Overrides", "Dispatch", "Limits", "Writes", "Order", "Uses", "Oracle"];

/// `needs`: what is validated is known to need integers of 64 bits, and subgroups, which nothing else may have.
fn validate(module: &naga::Module, name: &str, needs: [bool; 2]) -> ModuleInfo {
    let [int64, subgroups] = needs;
    let int64 = if int64 { Capabilities::SHADER_INT64 } else { Capabilities::empty() };
    let subgroups = if subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let capabilities = Capabilities::SHADER_FLOAT32_ATOMIC
        | Capabilities::SHADER_FLOAT16
        | Capabilities::SHADER_FLOAT16_IN_FLOAT32
        | Capabilities::COOPERATIVE_MATRIX
        | int64
        | subgroups;
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(module)
        .unwrap_or_else(|error| panic!("{name}: {:?}", error.into_inner()))
}

fn parse(source: &str, name: &str) -> naga::Module {
    naga::front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)))
}

fn steps() -> Vec<Step> {
    exhibits()
        .into_iter()
        .flat_map(|exhibit| exhibit.plans)
        .map(Result::unwrap)
        .flat_map(|plan| [plan.prepare, plan.run].concat())
        .collect()
}

#[test]
fn common_parts_parse_alone() {
    for part in kernels().flat_map(|kernel| kernel.parts).filter(|part| part.path.starts_with("common/")) {
        validate(&parse(part.source, part.path), part.path, [part.has_int64(), part.has_subgroups()]);
    }
}

#[test]
fn every_kernel_is_exhibited() {
    let run: BTreeSet<&str> = steps().iter().map(|step| step.kernel.name).collect();
    let registered: BTreeSet<&str> = kernels().map(|kernel| kernel.name).collect();
    assert_eq!(run, registered);
    assert_eq!(registered.len(), kernels().count(), "two kernels of the same name");
    let described: BTreeSet<&str> = exhibits().iter().flat_map(|e| &e.params).map(|(kernel, _)| kernel.name).collect();
    assert_eq!(described, registered);
}

/// A marked loop of another form than is written out would stay one, and be slow without a word.
#[test]
fn every_marked_loop_is_written_out() {
    let marked = |text: &str| text.contains(unroll::MARK);
    assert!(kernels().any(|kernel| kernel.parts.iter().any(|part| marked(part.source))));
    for kernel in kernels() {
        assert!(!marked(&kernel.source()), "{}: a loop marked `{}` is not written out", kernel.name, unroll::MARK);
    }
}

#[test]
fn bindings_agree() {
    kernels().for_each(check_bindings);
}

fn check_bindings(kernel: &Kernel) {
    let module = parse(&kernel.source(), kernel.name);
    let mut found: Vec<(u32, Access)> = Vec::new();
    for (_, global) in module.global_variables.iter() {
        let Some(binding) = &global.binding else { continue };
        assert_eq!(binding.group, 0, "{}: group of {:?}", kernel.name, global.name);
        let access = match global.space {
            naga::AddressSpace::Uniform => Access::Uniform,
            naga::AddressSpace::Storage { access } if access.contains(naga::StorageAccess::STORE) => Access::Write,
            naga::AddressSpace::Storage { .. } => Access::Read,
            other => panic!("{}: {:?} is in {other:?}", kernel.name, global.name),
        };
        if binding.binding == 0 {
            assert_eq!(global.name.as_deref(), Some("params"), "{}: binding 0", kernel.name);
        }
        found.push((binding.binding, access));
    }
    found.sort_by_key(|(binding, _)| *binding);
    let expected: Vec<(u32, Access)> = (0..).zip(kernel.bindings.iter().copied()).collect();
    assert_eq!(found, expected, "{}", kernel.name);
    let storage = kernel.bindings.iter().filter(|access| **access != Access::Uniform).count();
    assert!(storage <= 8, "{}: {storage} storage buffers, WebGPU guarantees 8", kernel.name);
    assert_eq!(module.entry_points.len(), 1, "{}", kernel.name);
    assert_eq!(module.entry_points[0].name, "main", "{}", kernel.name);
}

#[test]
fn uniforms_agree() {
    let steps = steps();
    for exhibit in exhibits().into_iter().flat_map(|exhibit| exhibit.params) {
        check_uniforms(exhibit, &steps);
    }
}

fn check_uniforms((kernel, fields): ParamsExhibit, steps: &[Step]) {
    let module = parse(&kernel.source(), kernel.name);
    let (_, params) = module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).expect(kernel.name);
    let naga::TypeInner::Struct { members, span } = &params.inner else { panic!("{}: Params", kernel.name) };
    let found: Vec<(String, String, usize)> = members
        .iter()
        .map(|member| {
            let kind = kind(&module.types[member.ty].inner);
            (member.name.clone().unwrap(), kind.to_owned(), member.offset as usize)
        })
        .collect();
    let expected: Vec<(String, String, usize)> =
        fields.iter().map(|(name, kind, offset)| ((*name).to_owned(), (*kind).to_owned(), *offset)).collect();
    assert_eq!(found, expected, "{}: uniforms", kernel.name);
    for step in steps.iter().filter(|step| step.kernel.name == kernel.name) {
        assert_eq!(step.params.len(), *span as usize, "{}: bytes of params", kernel.name);
    }
}

fn kind(field: &naga::TypeInner) -> &'static str {
    match field {
        naga::TypeInner::Scalar(naga::Scalar { kind: naga::ScalarKind::Sint, width: 4 }) => "i32",
        naga::TypeInner::Scalar(naga::Scalar { kind: naga::ScalarKind::Uint, width: 4 }) => "u32",
        naga::TypeInner::Scalar(naga::Scalar { kind: naga::ScalarKind::Float, width: 4 }) => "f32",
        naga::TypeInner::Array { .. } => "array",
        other => panic!("a uniform of type {other:?}"),
    }
}

#[test]
fn every_specialisation_is_valid() {
    steps().iter().for_each(check_specialisation);
}

fn check_specialisation(step: &Step) {
    let name = step.kernel.name;
    let module = parse(&step.kernel.source(), name);
    let overrides: BTreeSet<&str> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
    let given: BTreeSet<&str> = step.constants.iter().map(|(name, _)| *name).collect();
    assert_eq!(given, overrides, "{name}: overrides");
    assert_eq!(given.len(), step.constants.len(), "{name}: an override given twice");
    let (module, _) = specialised(step);
    let invocations: u32 = module.entry_points[0].workgroup_size.iter().product();
    assert!((1..=Caps::WEBGPU.max_invocations).contains(&invocations), "{name}: {invocations} invocations");
    let bytes = workgroup_bytes(&module);
    assert!(bytes <= Caps::WEBGPU.max_workgroup_bytes, "{name}: {bytes} bytes of workgroup memory");
    assert_eq!(step.operands.len() + 1, step.kernel.bindings.len(), "{name}: operands");
}

/// A step's kernel with its overrides' values, valid.
fn specialised(step: &Step) -> (naga::Module, ModuleInfo) {
    let name = step.kernel.name;
    let module = parse(&step.kernel.source(), name);
    let needs = [step.kernel.has_int64(), step.kernel.has_subgroups()];
    let info = validate(&module, name, needs);
    let constants = step.constants.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let entry = Some((naga::ShaderStage::Compute, "main"));
    let (module, _) = naga::back::pipeline_constants::process_overrides(&module, &info, entry, &constants)
        .unwrap_or_else(|error| panic!("{name}: {error:?} in {:?}", step.constants));
    let module = module.into_owned();
    let info = validate(&module, name, needs);
    (module, info)
}

/// Workgroup memory of a module without overrides.
fn workgroup_bytes(module: &naga::Module) -> u32 {
    let shared = module.global_variables.iter().filter(|(_, global)| global.space == naga::AddressSpace::WorkGroup);
    shared.map(|(_, global)| module.types[global.ty].inner.size(module.to_ctx())).sum()
}

/// In WGSL the write of a component may write the whole vector, so that invocations that write components of one vector race.
#[test]
fn invocations_write_no_components_of_shared_vectors() {
    for kernel in kernels() {
        assert!(!writes_components(kernel), "{}", kernel.name);
    }
}

fn writes_components(kernel: &Kernel) -> bool {
    let module = parse(&kernel.source(), kernel.name);
    let info = validate(&module, kernel.name, [kernel.has_int64(), kernel.has_subgroups()]);
    let functions = module.functions.iter().map(|(handle, function)| (function, &info[handle]));
    let main = (&module.entry_points[0].function, info.get_entry_point(0));
    let component = |to: &naga::TypeInner| {
        matches!(to, naga::TypeInner::ValuePointer { size: None, space: naga::AddressSpace::WorkGroup, .. })
    };
    functions.chain([main]).any(|(function, info)| {
        stores(&function.body).into_iter().any(|pointer| component(info[pointer].ty.inner_with(&module.types)))
    })
}

/// What a block's statements store through.
fn stores(block: &naga::Block) -> Vec<naga::Handle<naga::Expression>> {
    let within = |statement: &naga::Statement| match statement {
        naga::Statement::Store { pointer, .. } => vec![*pointer],
        naga::Statement::Block(block) => stores(block),
        naga::Statement::If { accept, reject, .. } => [stores(accept), stores(reject)].concat(),
        naga::Statement::Switch { cases, .. } => cases.iter().flat_map(|case| stores(&case.body)).collect(),
        naga::Statement::Loop { body, continuing, .. } => [stores(body), stores(continuing)].concat(),
        _ => vec![],
    };
    block.iter().flat_map(within).collect()
}

#[test]
fn a_folder_is_called_as_the_file_that_plans_with_it() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel");
    let paths = kernels().flat_map(|kernel| kernel.parts.iter().map(|part| part.path).chain([kernel.name]));
    for (folder, _) in paths.filter_map(|path| path.split_once('/')).filter(|&(folder, _)| folder != "common") {
        assert!(sources.join(folder).with_extension("rs").is_file(), "shaders/{folder}");
    }
}

#[test]
fn headers_are_complete() {
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for kernel in kernels() {
        let (own, others) = kernel.parts.split_last().expect(kernel.name);
        // Kernels that differ in a part share their own file: `scatter_exchange` is in `scatter.wgsl`.
        let stem = own.path.strip_suffix(".wgsl").expect(own.path);
        let rest = kernel.name.strip_prefix(stem).expect(kernel.name);
        assert!(rest.is_empty() || rest.starts_with('_'), "{} is in {}", kernel.name, own.path);
        used.entry(own.path).or_default().extend(others.iter().map(|part| part.path));
    }
    for own in kernels().filter_map(|kernel| kernel.parts.last()) {
        check_header(own, &used[own.path]);
    }
}

fn check_header(own: &Part, used: &BTreeSet<&str>) {
    let header = own.source.lines().map_while(|line| line.strip_prefix("// "));
    let keys: Vec<&str> =
        header.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(keys, HEADER, "{}: keys of the header", own.path);
    let mut lines = own.source.lines().skip_while(|line| !line.starts_with("// Uses"));
    let (first, more) = (lines.next(), lines.take_while(|line| line.starts_with("//  ")));
    let words = first.into_iter().chain(more).flat_map(|line| line.split([' ', ',']));
    let named: BTreeSet<&str> = words.filter(|word| word.ends_with(".wgsl")).collect();
    assert_eq!(&named, used, "{}: Uses", own.path);
}

/// The value of a module constant of a kernel, for tests that compare it with the host's.
pub(crate) fn constant(kernel: &Kernel, name: &str) -> u64 {
    let module = parse(&kernel.source(), kernel.name);
    let (_, constant) = module.constants.iter().find(|(_, c)| c.name.as_deref() == Some(name)).expect(name);
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(naga::Literal::I32(value)) => u64::try_from(value).unwrap(),
        naga::Expression::Literal(naga::Literal::AbstractInt(value)) => u64::try_from(value).unwrap(),
        naga::Expression::Literal(naga::Literal::U32(value)) => value.into(),
        ref other => panic!("{}: {name} is {other:?}", kernel.name),
    }
}

/// Faults that the checks above must see.
mod planted {
    use super::*;
    use crate::gpu::Buffer;

    const HEADER: &str = "// Computes  y = x\n// Layout    words\n// Bindings  0 params; 1 x; 2 y\n// Overrides S\n\
        // Dispatch  flat\n// Limits    none\n// Writes    y\n// Order     any\n// Uses      common/index.wgsl\n// Oracle    none\n";
    pub(super) const BODY: &str = "
struct Params { words: u32, shift: f32 }
override S: u32;
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(S)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.words { y[id.x] = x[id.x] + params.shift; }
}
";
    const FIELDS: &[(&str, &str, usize)] = &[("words", "u32", 0), ("shift", "f32", 4)];

    pub(super) fn kernel(body: &str) -> &'static Kernel {
        let source: &'static str = String::leak(body.to_owned());
        let part: &'static Part = Box::leak(Box::new(Part { path: "planted.wgsl", source }));
        Box::leak(Box::new(Kernel {
            name: "planted",
            parts: Box::leak(Box::new([part])),
            bindings: &[Access::Uniform, Access::Read, Access::Write],
            needs_float_atomics: false,
        }))
    }

    fn step(body: &str) -> Step {
        Step {
            kernel: kernel(body),
            constants: vec![("S", 64.0)],
            params: vec![0; 8],
            operands: vec![Buffer::Input(0).into(), Buffer::Output(0).into()],
            workgroups: [1, 1, 1],
        }
    }

    /// Every check of one kernel.
    fn check(header: &str, step: &Step) {
        check_bindings(step.kernel);
        check_uniforms((step.kernel, FIELDS), std::slice::from_ref(step));
        check_specialisation(step);
        let source: &'static str = String::leak(header.to_owned());
        check_header(&Part { path: "planted.wgsl", source }, &["common/index.wgsl"].into());
    }

    fn refused(header: &str, step: &Step, why: &str) {
        let caught = std::panic::catch_unwind(|| check(header, step)).expect_err(why);
        let message = caught.downcast::<String>().map_or_else(|_| String::new(), |message| *message);
        assert!(message.contains(why), "{why}: {message}");
    }

    #[test]
    fn writes_of_components_are_seen() {
        for (store, sees) in [("held[id.x / 4][id.x % 4]", true), ("held[id.x].y", true), ("words[id.x]", false)] {
            let memory = "var<workgroup> held: array<vec4<f32>, 64>; var<workgroup> words: array<f32, 64>;";
            let body =
                BODY.replace("@compute", &format!("{memory}\n@compute")).replace("y[id.x] =", &format!("{store} ="));
            assert_eq!(writes_components(kernel(&body)), sees, "{store}");
        }
    }

    #[test]
    fn a_sound_kernel_passes() {
        check(HEADER, &step(BODY));
    }

    #[test]
    fn faults_are_seen() {
        let edit = |from: &str, to: &str| {
            assert!(BODY.contains(from), "{from}");
            step(&BODY.replace(from, to))
        };
        refused(HEADER, &edit("read_write> y", "read> y"), "(2, Read)");
        refused(HEADER, &edit("read> x", "read_write> x"), "(1, Write)");
        refused(HEADER, &edit("binding(1)", "binding(3)"), "(3, Read)");
        refused(HEADER, &edit("main", "entry"), "entry");
        refused(HEADER, &edit("words: u32, shift: f32", "words: u32, pad: f32, shift: f32"), "uniforms");
        refused(HEADER, &edit("shift", "offset"), "uniforms");
        refused(HEADER, &edit("override S: u32;", "override S: u32; override T: u32;"), "overrides");
        let undeclared = BODY.replace("x: array<f32>", "x: array<i64>").replace("= x[id.x]", "= f32(x[id.x])");
        refused(HEADER, &step(&undeclared), "SHADER_INT64");
        refused(HEADER, &Step { constants: vec![("S", 512.0)], ..step(BODY) }, "512 invocations");
        let held = BODY.replace("@compute", "var<workgroup> held: array<vec4<f32>, 1025>;\n@compute");
        let held = step(&held.replace("x[id.x] +", "held[id.x].x +"));
        refused(HEADER, &held, "16400 bytes of workgroup memory");
        refused(HEADER, &Step { constants: vec![("S", 64.0), ("T", 1.0)], ..step(BODY) }, "overrides");
        refused(HEADER, &Step { params: vec![0; 12], ..step(BODY) }, "bytes of params");
        refused(HEADER, &Step { operands: vec![Buffer::Input(0).into()], ..step(BODY) }, "operands");
        refused(&HEADER.replace("// Order     any\n", ""), &step(BODY), "keys of the header");
        refused(&HEADER.replace("common/index.wgsl", "nothing"), &step(BODY), "Uses");
    }
}
