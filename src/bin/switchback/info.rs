//! `switchback info`: the adapters of this machine, what they can hold and do.

use serde::Serialize;
use switchback::gpu::{AdapterChoice, AdapterInfo, Caps, Gpu};

use crate::Result;
use crate::console::print;

/// List the GPU adapters, their limits and features; ends with an error if there is none
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  switchback info\n  switchback info --json | head -n 1")]
pub(crate) struct Args {
    /// Print only the adapters' names, which `--adapter` takes
    #[arg(long, conflicts_with = "json")]
    names: bool,
    /// Print one JSON object an adapter
    #[arg(long)]
    json: bool,
}

/// One adapter, for machines.
#[derive(Serialize)]
struct Row<'a> {
    /// What `--adapter` takes behind a `#`.
    number: usize,
    name: &'a str,
    kind: String,
    backend: &'a str,
    driver: &'a str,
    max_binding_bytes: u64,
    max_buffer_bytes: u64,
    max_workgroups: u32,
    max_invocations: u32,
    max_workgroup_bytes: u32,
    float_atomics: bool,
    f16: bool,
    int64: bool,
    subgroup: Option<u32>,
    uniform_loads: bool,
    gathers: &'static str,
    /// Rows and columns of its cooperative matrices, or null.
    cooperative_tile: Option<u32>,
}

pub(crate) fn run(args: &Args) -> Result {
    let adapters = Gpu::adapters();
    if adapters.is_empty() {
        // The library's own words on what to do about it.
        Gpu::new()?;
    }
    for (number, adapter) in (1..).zip(&adapters) {
        if args.names {
            print(&adapter.name)?;
            continue;
        }
        // By number: names may be alike, or one within another.
        let choice = AdapterChoice::Numbered { among: Box::default(), number };
        match (Gpu::builder().adapter(choice).build(), args.json) {
            (Ok(gpu), true) => print(serde_json::to_string(&row(number, adapter, gpu.caps()))?)?,
            (Ok(gpu), false) => print(paragraph(number, adapter, gpu.caps()))?,
            (Err(error), true) => return Err(error.into()),
            (Err(error), false) => print(format_args!("#{number} {adapter}\n  cannot be opened: {error}"))?,
        }
    }
    if !args.names && !args.json {
        print(
            "`--adapter NAME` chooses one by part of its name, `--adapter '#N'` by its number here, `--adapter NAME#N` the \
             N-th of that name; `--adapter cpu` computes without any.",
        )?;
    }
    Ok(())
}

fn paragraph(number: usize, adapter: &AdapterInfo, caps: &Caps) -> String {
    let mib = |bytes: u64| bytes >> 20;
    let yes = |has: bool| if has { "yes" } else { "no" };
    format!(
        "#{number} {adapter}\n  \
         largest binding {} MiB, largest buffer {} MiB\n  \
         workgroups {} a dimension, {} invocations and {} KiB of memory each\n  \
         f16 {}, integers of 64 bits {}, f32 atomics {}\n  \
         subgroups: {}\n  \
         cooperative matrices: {}",
        mib(caps.max_binding_bytes),
        mib(caps.max_buffer_bytes),
        caps.max_workgroups,
        caps.max_invocations,
        caps.max_workgroup_bytes >> 10,
        yes(caps.f16),
        yes(caps.int64),
        yes(caps.float_atomics),
        caps.subgroup.map_or_else(|| "of unknown size".to_owned(), |lanes| format!("{lanes} invocations")),
        caps.cooperative.map_or_else(|| "none".to_owned(), |cooperative| cooperative.to_string()),
    )
}

fn row<'a>(number: usize, adapter: &'a AdapterInfo, caps: &Caps) -> Row<'a> {
    Row {
        number,
        name: &adapter.name,
        kind: adapter.kind.to_string(),
        backend: &adapter.backend,
        driver: &adapter.driver,
        max_binding_bytes: caps.max_binding_bytes,
        max_buffer_bytes: caps.max_buffer_bytes,
        max_workgroups: caps.max_workgroups,
        max_invocations: caps.max_invocations,
        max_workgroup_bytes: caps.max_workgroup_bytes,
        float_atomics: caps.float_atomics,
        f16: caps.f16,
        int64: caps.int64,
        subgroup: caps.subgroup,
        uniform_loads: caps.uniform_loads,
        gathers: caps.gathers.name(),
        cooperative_tile: caps.cooperative.map(|cooperative| cooperative.tile),
    }
}
