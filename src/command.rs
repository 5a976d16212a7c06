//! One subcommand a file: its arguments, its run, what is printed.
