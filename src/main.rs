//! The program: everything is in the library, so that tests and benches see it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    ghl_bulk::cli::main()
}
