//! What of the release goes into the archive: all of it, what is new, or all but the wheels.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::super::archives::{broken, open};
use super::super::context::Context;
use super::super::exit::Failure;
use super::Arguments;
use crate::car::Extent;
use crate::dag::Cid;
use crate::publish::{Part, car_name};

impl ValueEnum for Extent {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Full => "every block",
            Self::Delta => "the blocks that the previous release lacks",
            Self::Hollow => "pages, metadata and nodes, without the leaves of wheels",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// What goes into the archive, with what is known of the release before. `previous` is the root that
/// the previous statement vouches for.
pub(super) fn part(
    context: &Context<'_>,
    arguments: &Arguments,
    previous: Option<Cid>,
) -> Result<Part, Failure> {
    if arguments.previous_car.is_some() && arguments.car != Extent::Delta {
        return Err(Failure::usage(
            "`--previous-car` is for `--car delta`, and another archive was asked for",
        ));
    }
    match arguments.car {
        Extent::Full => Ok(Part::Full),
        Extent::Hollow => Ok(Part::Hollow),
        Extent::Delta => {
            let path = previous_car(context, arguments)?;
            let reader = open(&path)?;
            if let Some(previous) = previous.filter(|previous| *previous != reader.root()) {
                return Err(Failure::finding(format!(
                    "`{}` is an archive of {}, and the previous statement vouches for {previous}",
                    path.display(),
                    reader.root()
                ))
                .help("name the previous release's archive with `--previous-car FILE`"));
            }
            let known = reader.known().map_err(|error| broken(&path, &error))?;
            Ok(Part::Delta(known))
        }
    }
}

/// The archive that was named, else one beside the previous statement.
fn previous_car(context: &Context<'_>, arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(path) = &arguments.previous_car {
        return Ok(context.absolute(path));
    }
    let statement = arguments.previous.as_deref();
    let statement = statement.filter(|location| !location.contains("://"));
    let folder = statement.map(|location| context.absolute(Path::new(location)));
    let beside = [Extent::Full, Extent::Hollow]
        .into_iter()
        .find_map(|extent| {
            let path = folder.as_ref()?.with_file_name(car_name(extent));
            path.is_file().then_some(path)
        });
    beside.ok_or_else(|| {
        Failure::usage("a delta needs to know what the previous release has")
            .help("name its archive, full or hollow: `--previous-car FILE`")
    })
}
