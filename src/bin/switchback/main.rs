//! `switchback`: dense-prediction networks on any GPU, from the command line. One file a subcommand.

mod adapter;
mod bench;
mod cache;
mod console;
mod convert;
mod extents;
mod info;
mod model;
mod plan;
mod segment;
mod signals;
mod tune;
mod visualize;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a subcommand ends with: nothing, or the one message that goes to stderr.
type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Dense-prediction networks on any GPU: a photograph and a weight file in, a label for every pixel out.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Segment(segment::Args),
    Visualize(visualize::Args),
    Convert(convert::Args),
    Plan(plan::Args),
    Info(info::Args),
    Bench(bench::Args),
    Tune(tune::Args),
}

fn main() -> ExitCode {
    console::show_warnings();
    signals::clean_up_when_told_to_end();
    let outcome = match Cli::parse().command {
        Command::Segment(args) => segment::run(&args),
        Command::Visualize(args) => visualize::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Tune(args) => tune::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough (`switchback info | head -1`).
        Err(error) if console::is_closed_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            console::notice(error);
            ExitCode::FAILURE
        }
    }
}
