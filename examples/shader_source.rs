//! Prints the WGSL of a kernel as the device compiles it, its parts joined; without a name, all names.
//!
//!     cargo run --example shader_source
//!     cargo run --example shader_source conv2d/direct

use switchback::kernel;

fn main() -> Result<(), String> {
    match std::env::args().nth(1) {
        None => kernel::names().for_each(|name| println!("{name}")),
        Some(name) => {
            let source = kernel::source(&name);
            println!(
                "{}",
                source.ok_or_else(|| format!("there is no kernel `{name}`; without a name, all are listed"))?
            );
        }
    }
    Ok(())
}
