//! Files of a site, by their paths from its top: at a web address, or in a folder of this machine.
//! They are verified elsewhere by hashes and signatures.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use url::Url;

use super::address::{Address, redacted};
use super::backoff::Backoff;
use super::client::Client;
use super::problem::SourceProblem;
use super::request::SourceLocation;
use super::transport::{RequestError, wait};
use crate::foundation::environment::open_beneath;

/// The size of reads of a local file, in bytes.
const STEP: usize = 256 << 10;

/// Files at an address, or in a folder.
#[derive(Debug, Clone)]
pub struct Site {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    Web(Client, Url),
}

/// Receives the bytes of a file.
pub trait Receiver: Send {
    /// Takes the next bytes; returns whether to continue.
    ///
    /// # Errors
    /// When they cannot be stored.
    fn take(&mut self, bytes: &[u8]) -> io::Result<bool>;

    /// The number of bytes of the file that need not be sent again after an interrupted attempt.
    fn kept(&self) -> u64 {
        0
    }

    /// Discards all bytes so far: the file is sent again from its beginning.
    ///
    /// # Errors
    /// When stored bytes cannot be discarded.
    fn restart(&mut self) -> io::Result<()>;
}

impl Site {
    /// The files in a folder. Links in it are not followed.
    pub fn folder(path: &Path) -> Self {
        Self {
            place: Place::Folder(path.to_path_buf()),
        }
    }

    /// The files below an address.
    pub fn web(client: Client, base: Url) -> Self {
        Self {
            place: Place::Web(client, base),
        }
    }

    /// Whether it is on the network.
    pub fn is_web(&self) -> bool {
        matches!(self.place, Place::Web(..))
    }

    /// A file in printable form; the site itself for an empty path.
    pub fn shown(&self, path: &str) -> String {
        match &self.place {
            Place::Folder(folder) if path.is_empty() => folder.display().to_string(),
            Place::Folder(folder) => folder.join(path).display().to_string(),
            Place::Web(_, base) => redacted(&below(base, path)),
        }
    }

    /// The file itself, if the site is a folder.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be opened.
    pub fn open(&self, path: &str) -> Option<Result<File, SourceProblem>> {
        let Place::Folder(folder) = &self.place else {
            return None;
        };
        Some(open_beneath(folder, path).map_err(|error| self.unreadable(path, &error)))
    }

    /// The location of a file, in the form of a wheel's source.
    pub fn location(&self, path: &str) -> SourceLocation {
        match &self.place {
            Place::Folder(folder) => SourceLocation::File {
                directory: folder.clone(),
                path: path.to_owned(),
            },
            Place::Web(_, base) => SourceLocation::Web(below(base, path)),
        }
    }

    /// The bytes of a small file, at most `largest` bytes.
    ///
    /// # Errors
    /// When there is no such file, or it is unavailable.
    pub async fn small(&self, path: &str, largest: u64) -> Result<Vec<u8>, SourceProblem> {
        match &self.place {
            Place::Web(client, base) => client.small_file(&below(base, path), largest).await,
            Place::Folder(folder) => {
                let mut bytes = Vec::new();
                let read = open_beneath(folder, path)
                    .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes));
                read.map_err(|error| self.unreadable(path, &error))?;
                if bytes.len() as u64 > largest {
                    return Err(self.failed(path, format!("it is larger than {largest} bytes")));
                }
                Ok(bytes)
            }
        }
    }

    /// Passes the bytes of a file to a receiver as they arrive, with as many attempts as the limits
    /// allow.
    ///
    /// # Errors
    /// When there is no such file, it is unavailable, or the receiver fails.
    pub async fn read(&self, path: &str, to: &mut dyn Receiver) -> Result<(), SourceProblem> {
        match &self.place {
            Place::Web(client, base) => client.read_file(&below(base, path), to).await,
            Place::Folder(folder) => open_beneath(folder, path)
                .and_then(|file| read_all(file, to))
                .map_err(|error| self.unreadable(path, &error)),
        }
    }

    fn unreadable(&self, path: &str, error: &io::Error) -> SourceProblem {
        let is_absent = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        );
        if is_absent {
            return SourceProblem::Missing {
                place: self.shown(path),
                reason: error.to_string(),
            };
        }
        self.failed(path, error.to_string())
    }

    fn failed(&self, path: &str, reason: String) -> SourceProblem {
        SourceProblem::Failed {
            place: self.shown(path),
            reason,
        }
    }
}

fn read_all(mut file: File, to: &mut dyn Receiver) -> io::Result<()> {
    let mut buffer = vec![0; STEP];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 || !to.take(&buffer[..count])? {
            return Ok(());
        }
    }
}

/// The address of a path below another one, with encoded parts.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/'));
    }
    url
}

impl Client {
    async fn read_file(&self, url: &Url, to: &mut dyn Receiver) -> Result<(), SourceProblem> {
        let address = Address::new(url.clone());
        let mut backoff = Backoff::new(&self.limits);
        loop {
            let error = match self.read_once(&address, to, &mut backoff).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            wait(self, &address, error, &mut backoff, &|_, _| {})
                .await
                .map_err(|error| error.at(&address))?;
        }
    }

    async fn read_once(
        &self,
        address: &Address,
        to: &mut dyn Receiver,
        backoff: &mut Backoff<'_>,
    ) -> Result<(), RequestError> {
        let kept = to.kept();
        let mut headers = HeaderMap::new();
        // The stored bytes are hashed at the end, so it need not be known here whether they belong
        // to the same file.
        if kept > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={kept}-"))
        {
            headers.insert(RANGE, range);
        }
        let (mut response, _) = self.get(address, &headers).await?;
        match response.status().as_u16() {
            206 if begins_at(&response, kept) => {}
            // The whole file is stored already, or the file has changed.
            416 if ends_at(&response, kept) => return Ok(()),
            206 | 416 => {
                to.restart().map_err(|error| not_kept(&error))?;
                return Err(RequestError::passing(
                    "it sent another part than the requested one",
                ));
            }
            _ => to.restart().map_err(|error| not_kept(&error))?,
        }
        let mut pace = self.pace();
        let mut received = 0;
        while let Some(bytes) = self.chunk(&mut response).await? {
            received += bytes.len() as u64;
            backoff.reached(to.kept().max(received));
            self.check_pace(&mut pace, received)?;
            if !to.take(&bytes).map_err(|error| not_kept(&error))? {
                break;
            }
        }
        Ok(())
    }
}

fn content_range(response: &Response) -> &str {
    let range = response.headers().get(CONTENT_RANGE);
    range
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn begins_at(response: &Response, start: u64) -> bool {
    content_range(response).starts_with(&format!("bytes {start}-"))
}

fn ends_at(response: &Response, length: u64) -> bool {
    content_range(response) == format!("bytes */{length}")
}

/// The local disk has failed, so another attempt would not help.
fn not_kept(error: &io::Error) -> RequestError {
    RequestError::Lasting(format!("its bytes cannot be stored: {error}"))
}
