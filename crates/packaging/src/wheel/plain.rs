//! ZIP archives that are no wheels, such as a database in one file. They meet the same checks: an
//! archive must mean the same to every reader.

use std::io::Cursor;

use super::Limits;
use super::archive::{Member, check_descriptor, check_local_header, read_members};
use super::content::{Contents, Sink};
use super::inspect::LONGEST_DESCRIPTOR;
use super::problems::Problems;
use super::record::MemberHasher;

/// An archive in memory, without any problem in its directory.
pub struct PlainArchive<'b> {
    bytes: &'b [u8],
    members: Vec<Member>,
}

/// Buffers for members that are read one after another.
pub struct PlainBuffers(Contents);

impl Default for PlainBuffers {
    fn default() -> Self {
        Self(Contents::new())
    }
}

impl<'b> PlainArchive<'b> {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// The first problem, as a clause for use after the archive's name.
    pub fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, String> {
        let mut problems = Problems::new(1);
        let members = read_members(&mut Cursor::new(bytes), limits, &mut problems)
            .map_err(|error| format!("cannot be read: {error}"))?;
        match (problems.finish().into_iter().next(), members) {
            (None, Some(members)) => Ok(Self { bytes, members }),
            (Some(problem), _) => Err(problem.message),
            (None, None) => Err("cannot be read".to_owned()),
        }
    }

    /// The names of the members that are files, each with its number.
    pub fn files(&self) -> impl Iterator<Item = (usize, &str)> {
        let members = self.members.iter().enumerate();
        let files = members.filter(|(_, member)| !member.is_folder());
        files.map(|(number, member)| (number, member.name.as_str()))
    }

    /// The size of a member, inflated.
    pub fn size(&self, number: usize) -> u64 {
        self.members.get(number).map_or(0, |member| member.size)
    }

    /// The bytes of a member, verified by its CRC.
    ///
    /// # Errors
    /// When the data is not that of its headers: a clause for use after the member's name.
    pub fn read(&self, number: usize, buffers: &mut PlainBuffers) -> Result<Vec<u8>, String> {
        let cut_short = || "is cut short".to_owned();
        let member = self.members.get(number).ok_or_else(cut_short)?;
        let mut problems = Problems::new(1);
        let mut place = usize::try_from(member.start).map_err(|_| cut_short())?;
        let mut next = |count: usize| -> Result<Vec<u8>, String> {
            let bytes = self.bytes.get(place..).and_then(|rest| rest.get(..count));
            place += count;
            bytes.map(<[u8]>::to_vec).ok_or_else(cut_short)
        };
        let local = check_local_header(member, &mut problems, &mut next)?;
        let mut kept = Vec::new();
        if let Some(local) = &local {
            let start = usize::try_from(local.data_start).map_err(|_| cut_short())?;
            let mut data = self.bytes.get(start..).ok_or_else(cut_short)?;
            let mut sink = Sink {
                hasher: MemberHasher::None,
                keep: Some(&mut kept),
                keep_at_most: usize::try_from(member.size).map_err(|_| cut_short())?,
            };
            buffers
                .0
                .read(&mut data, member, &mut sink)
                .map_err(|error| format!("cannot be read: {error}"))??;
            let end = usize::try_from(local.data_end).map_err(|_| cut_short())?;
            let room = member
                .end
                .saturating_sub(local.data_end)
                .min(LONGEST_DESCRIPTOR);
            let room = usize::try_from(room).map_err(|_| cut_short())?;
            let after = self.bytes.get(end..).and_then(|rest| rest.get(..room));
            check_descriptor(member, local, after.ok_or_else(cut_short)?, &mut problems);
        }
        match problems.finish().into_iter().next() {
            None => Ok(kept),
            Some(problem) => Err(problem.message),
        }
    }
}
