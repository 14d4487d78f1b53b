//! `switchback bench`: how fast kernels and networks are, each verified before it is timed.
//!
//! A workload is a graph with weights and inputs: one operator, or a network. Its results are held to the reference
//! (`verify.rs`), then it is run again and again and each node timed (`measure.rs`), and every figure becomes a row
//! (`row.rs`), with the fraction of what a copy kernel and a multiply-add kernel reach in the same run.

mod data;
mod measure;
mod network;
mod profile;
mod row;
mod statistics;
mod verify;
mod window;
mod workload;

use std::fmt::Display;
use std::path::PathBuf;

use switchback::gpu::Gpu;
use switchback::graph::Plan;
use switchback::replace_file;

use crate::Result;
use crate::adapter::AdapterArgs;
use crate::console::{Progress, check_folder, report};
use measure::How;
use profile::Profile;
use row::{Machine, Row};
use workload::{Command, Workload};

/// Measure operators and networks; every result is verified before it is timed
///
/// Without a workload: the published FCN-8s at 500x500, layer by layer and whole.
///
/// Before the timed runs are others, for half a second at most, until their times stop falling: an idle device raises its clock
/// only when there is work.
///
/// On a GPU with timestamps a single operator runs many times in a row in each timed pass, for about 1 ms, and a time is that of
/// one run: what a pass itself takes to begin and end is no part of it then. Rows of --json say how many runs (runs_a_pass), and
/// what passes of one run took (single_median_ms, single_min_ms).
///
/// A row gives times, rates by the operator's definition (two operations a multiply-add; each operand read once, each
/// result written once), and the fraction of the ceiling: the least time in which a copy kernel moves the row's bytes, or a
/// multiply-add kernel does its arithmetic, by the time it took. The copy is of 64 MiB, so what stays in a cache may exceed
/// it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchback bench conv_transpose2d --input 1x21x34x34 --weight 21x21x16x16 --stride 8 --variant all
  switchback bench conv2d --input 1x64x112x112 --weight 64x64x3x3 --pad 1 --json rows.jsonl
  switchback bench fcn8s --size 500x500
  switchback bench segnet")]
pub(crate) struct Args {
    #[command(subcommand)]
    workload: Option<Command>,
    /// Write one JSON object a row to this file (`-`: to stdout, instead of the table)
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// How long to repeat each measurement; at least three runs are timed
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, global = true, value_parser = seconds)]
    seconds: f64,
    /// Also measure the whole run, from operands in host memory to results in host memory, where the workload is one
    /// operator; networks always are
    #[arg(long, global = true)]
    whole: bool,
    /// Seed of the operands
    #[arg(long, value_name = "N", default_value_t = 1, global = true)]
    seed: u64,
    #[command(flatten)]
    adapter: AdapterArgs,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "expected 0 to 3600".to_owned())
}

pub(crate) fn run(args: &Args) -> Result {
    args.json.as_deref().map_or(Ok(()), check_folder)?;
    let gpu = args.adapter.open_gpu("bench")?;
    let workloads = args.workload.clone().unwrap_or_default().workloads(args.seed)?;
    if args.adapter.is_tuned() && !workloads.iter().any(Workload::may_be_tuned) {
        let why =
            "it chooses variants of convolutions, of which there are none here but those that `--variant` chooses";
        return Err(format!("--tuning would have no effect: {why}; leave it out").into());
    }
    let progress = Progress::new(workloads.len() + 1);
    progress.doing("measuring what a copy and multiply-adds reach");
    let machine = Machine::measure(&gpu)?;
    progress.step();
    let to_stdout = args.json.as_deref().is_some_and(|path| path.as_os_str() == "-");
    let to_file = args.json.as_deref().filter(|_| !to_stdout);
    let say = |line: &dyn Display| if to_file.is_some() { progress.report(line) } else { progress.print(line) };
    if !to_stdout {
        say(&machine)?;
        say(&Row::heading())?;
    }
    let mut rows = Vec::new();
    for workload in &workloads {
        let (found, profile) = args.rows(&gpu, &machine, workload, &progress)?;
        for row in &found {
            if to_stdout {
                say(&serde_json::to_string(row)?)?;
            } else {
                say(row)?;
            }
        }
        if let Some(profile) = profile.filter(|_| !to_stdout) {
            say(&profile)?;
        }
        rows.extend(found);
        progress.step();
    }
    drop(progress);
    match to_file {
        None => Ok(()),
        Some(path) => {
            let lines = rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
            replace_file(path, |to| lines.iter().try_for_each(|line| writeln!(to, "{line}")))?;
            report(format_args!("{}: {} rows", path.display(), lines.len()))
        }
    }
}

impl Args {
    /// A workload's rows, and what is to be said of a network besides.
    fn rows(
        &self,
        gpu: &Gpu,
        machine: &Machine,
        workload: &Workload,
        progress: &Progress,
    ) -> Result<(Vec<Row>, Option<Profile>)> {
        let gpu = workload.variant.map_or_else(|| gpu.clone(), |variant| gpu.with_variant(variant));
        // A single operator has nothing between its ends that could be in f16.
        let alone = gpu.elements().is_half() && workload.graph.nodes().len() <= 3;
        let gpu = if alone { gpu.with_elements(gpu.elements().clone().with_ports()) } else { gpu };
        let rounded = alone.then(|| workload.rounded());
        let workload = rounded.as_ref().unwrap_or(workload);
        progress.doing(format_args!("{}: compiling", workload.label));
        let mut weights = gpu.weights(&workload.weights);
        let mut session = match weights.compile(&workload.graph) {
            // The device has not the means for this variant.
            Err(error) if workload.optional && error.is_unsupported() => {
                progress.notice(error);
                return Ok((Vec::new(), None));
            }
            session => session?,
        };
        if let Some(refusal) = refusal(workload, session.plan()) {
            if !workload.optional {
                return Err(refusal.into());
            }
            progress.notice(refusal);
            return Ok((Vec::new(), None));
        }
        let outputs = session.run(workload.inputs())?;
        let verified = verify::run(weights, &session, workload, &outputs, progress)?;
        progress.doing(format_args!("{}: measuring", workload.label));
        let how = How {
            whole: self.whole || workload.network,
            most_runs: measure::most_runs(workload.network, gpu.timer(), gpu.caps().software),
            seconds: self.seconds,
        };
        let measured = measure::run(&mut session, workload, how)?;
        let profile = (measured.nodes.len() > 1).then(|| Profile::of(&measured, session.plan()));
        Ok((row::rows(machine, workload, &verified, &measured, session.plan()), profile))
    }
}

/// Why the variant that was asked for does not run; a plan takes another one where it has to.
fn refusal(workload: &Workload, plan: &Plan) -> Option<String> {
    let asked = workload.variant?;
    let taken = plan.nodes().iter().find(|node| node.operator() == asked.operator())?.variant();
    let (operator, name) = (asked.operator(), asked.name());
    (taken != name).then(|| format!("{operator}: the variant {name} cannot do this; {taken} would run instead"))
}
