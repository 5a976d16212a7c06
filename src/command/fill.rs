//! `ipwhl fill`: completes a hollow archive or a delta with blocks from other places.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::fill::{
    Attempts, FailedRequests, FillEvent, FillOptions, FillOutcome, GatewayWarning, Missing,
    WrongBlocks, fill,
};

/// The number of missing blocks of one file that are listed without `-v`.
const NAMED_BLOCKS: usize = 3;

/// Complete a hollow archive or a delta
///
/// Reads missing blocks from the cache, then from each place of `--from`, in order. Without
/// `--from`, uses the sources of the declarations and then the `[mirrors]`. Consecutive gateways
/// are used in parallel, with `--jobs` requests each; a fast one takes over requests of a slow one.
/// Every block is verified against its CID: the result is byte for byte the archive that `ipwhl
/// build` writes. If some blocks are not found, they are listed, the others stay in the cache, and
/// the next run continues from there.
///
/// Example: ipwhl fill release/release.hollow.car --from wheels
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The archive to fill
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// A place to look for blocks: an archive, a folder of wheels, the URL of a gateway, `sources`
    /// or `mirrors`; repeatable [default: `sources`, then `mirrors`]
    #[arg(long, value_name = "PLACE")]
    from: Vec<String>,
    /// The file to write [default: beside the archive, ending in `.car`]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let options = FillOptions {
        archive: context.absolute(&arguments.archive),
        output: arguments
            .output
            .as_ref()
            .map(|output| context.absolute(output)),
        from: arguments.from.clone(),
        network: arguments.network.network(),
        repository: context.repository_directory().ok(),
        tell: &|FillEvent::Asking { gateways, blocks }| {
            let blocks = counted(blocks, "block");
            context.say(&format!("requesting {blocks} from {}", gateways.join(", ")));
        },
    };
    let report = fill(&context.session, &options)?;
    for damage in &report.damage {
        context.warning(damage);
    }
    if !context.quiet {
        for gateway in &report.gateways {
            context.warning(&warning(gateway));
        }
    }
    match &report.outcome {
        FillOutcome::Written { output, summary } => {
            context.say(&format!(
                "wrote {}: {} blocks, {}",
                context.shown(output),
                summary.blocks,
                HumanBytes(summary.bytes)
            ));
            context.result(&report.root.to_string())?;
            Ok(ExitStatus::Clean)
        }
        FillOutcome::Missing {
            blocks,
            attempts,
            has_found,
        } => {
            report_missing(context, blocks, attempts);
            context.help(way_out(*has_found, arguments.network.offline));
            Ok(ExitStatus::World)
        }
    }
}

/// One sentence about a gateway that sent wrong bytes, was overtaken or failed.
fn warning(gateway: &GatewayWarning) -> String {
    let mut clauses = Vec::new();
    if let Some(WrongBlocks { first, others }) = &gateway.wrong {
        let more = match others {
            0 => String::new(),
            more => format!(" and {}", counted(*more, "other block")),
        };
        clauses.push(format!("sent wrong bytes for block {first}{more}"));
    }
    if let Some(overtaken) = &gateway.overtaken {
        let rate = u128::from(overtaken.bytes) * 1000 / overtaken.time.as_millis().max(1);
        let rate = HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX));
        let amount = match overtaken.bytes {
            0 => "before its first byte".to_owned(),
            _ => format!("at {rate}/s for each request"),
        };
        clauses.push(format!(
            "was overtaken by other gateways {}, {amount}",
            counted(overtaken.requests, "time")
        ));
    }
    if let Some(FailedRequests { times, last }) = &gateway.failed {
        clauses.push(format!("failed {} ({last})", counted(*times, "time")));
    }
    let end = if gateway.is_left_alone {
        ", and was not asked again"
    } else {
        ""
    };
    format!("gateway {} {}{end}", gateway.place, clauses.join("; it "))
}

/// Reports some missing blocks of each file, and why no place had them.
fn report_missing(context: &Context<'_>, missing: &[Missing], attempts: &Attempts) {
    let mut files: BTreeMap<&str, Vec<&Missing>> = BTreeMap::new();
    for one in missing {
        files.entry(&one.path).or_default().push(one);
    }
    for (path, blocks) in files {
        let file = if path.is_empty() { "the tree" } else { path };
        let shown = if context.verbose > 0 {
            blocks.len()
        } else {
            NAMED_BLOCKS
        };
        for one in blocks.iter().take(shown) {
            let reasons = match attempts.get(&one.cid) {
                Some(reasons) => reasons.join("; "),
                None => "there is no place to look for it".to_owned(),
            };
            context.error(&format!(
                "`{file}`: block {} was not found: {reasons}",
                one.cid
            ));
        }
        if blocks.len() > shown {
            context.error(&format!(
                "`{file}`: {} not found (`-v` lists them)",
                match blocks.len() - shown {
                    1 => "1 more block was".to_owned(),
                    more => format!("{more} more blocks were"),
                }
            ));
        }
    }
    let bytes = missing.iter().filter_map(|one| one.cumulative_size).sum();
    context.error(&format!(
        "nothing was written: {} not found ({})",
        match missing.len() {
            1 => "1 block was".to_owned(),
            count => format!("{count} blocks were"),
        },
        HumanBytes(bytes)
    ));
}

/// The help for missing blocks.
fn way_out(has_found: bool, offline: bool) -> &'static str {
    match (has_found, offline) {
        (true, false) => {
            "the blocks that were found stay in the cache: run the same command again, or add \
             places with `--from`"
        }
        (true, true) => {
            "the blocks that were found stay in the cache: run the same command again without \
             `--offline`, or add places with `--from`"
        }
        (false, false) => {
            "name other places with `--from`: an archive, a folder of wheels or the URL of a \
             gateway; if a place only failed, run the same command again"
        }
        (false, true) => {
            "run the same command without `--offline`, or name an archive or a folder of wheels \
             with `--from`"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::release::archive::fill::Overtaken;

    #[test]
    fn a_warning_about_a_gateway() {
        let mut gateway = GatewayWarning {
            place: "https://example.org/".to_owned(),
            wrong: None,
            overtaken: Some(Overtaken {
                requests: 1,
                bytes: 10,
                time: Duration::from_secs(6),
            }),
            failed: None,
            is_left_alone: false,
        };
        assert_eq!(
            warning(&gateway),
            "gateway https://example.org/ was overtaken by other gateways 1 time, at 1 B/s for each request"
        );
        gateway.wrong = Some(WrongBlocks {
            first: "CID".to_owned(),
            others: 2,
        });
        gateway.overtaken = None;
        gateway.failed = Some(FailedRequests {
            times: 2,
            last: "it was slow".to_owned(),
        });
        gateway.is_left_alone = true;
        assert_eq!(
            warning(&gateway),
            "gateway https://example.org/ sent wrong bytes for block CID and 2 other blocks; it \
             failed 2 times (it was slow), and was not asked again"
        );
    }
}
