//! Answers requests: status, headers and the origin of the body. Synchronous, because blocks are
//! read and hashed here.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_RANGES, ALLOW, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, HeaderValue,
    IF_RANGE, LOCATION, RANGE, VARY,
};
use hyper::{Method, StatusCode};
use ipwhl_unixfs::car::{CarError, Kind, Tree};
use ipwhl_unixfs::{Cid, Codec, Version, symlink_target};

use super::accept::{self, Variant};
use super::entity::Entity;
use super::message::{Answer, Asked, Content, header_value, text_answer};
use super::range::{self, Range};
use super::router::{self, ContentPath, Route};
use super::store::FileRange;
use super::{condition, listing, media};
use crate::release::archive::BlockStore;

/// The content of a CID never changes (path gateway, "Cache-Control").
const IMMUTABLE: &str = "public, max-age=29030400, immutable";

/// A generated page may look different in a later version.
const A_WEEK: &str = "public, max-age=604800";

/// The file that is sent for a folder.
const INDEX: &str = "index.html";

/// The served content: one root, and the blocks below it.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) store: Arc<BlockStore>,
    pub(super) root: Cid,
}

/// The target of a path. A release has no symbolic link, but another archive may.
enum Node {
    File { size: u64 },
    Folder,
    Symlink { target: Bytes },
}

impl Site {
    /// The answer to a request, also for damaged blocks and invalid requests.
    pub(super) fn answer(&self, asked: &Asked) -> Answer {
        if asked.method != Method::GET && asked.method != Method::HEAD {
            let mut answer = text_answer(
                StatusCode::METHOD_NOT_ALLOWED,
                "this gateway answers GET and HEAD only",
            );
            answer
                .headers
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let answer = match router::route(&asked.path) {
            Route::Home => Ok(redirect(
                StatusCode::FOUND,
                &format!("/ipfs/{}/", self.root),
            )),
            Route::Content(path) => self.content(asked, &path),
            Route::NoCid(text, error) => {
                let text: String = text.chars().take(100).collect();
                Ok(text_answer(
                    StatusCode::BAD_REQUEST,
                    &format!("{text:?} is not a CID: {error}"),
                ))
            }
            Route::Nothing => Ok(not_found(
                "there is nothing at this path: a path starts with /ipfs/ and a CID",
            )),
        };
        answer.unwrap_or_else(|error| {
            text_answer(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        })
    }

    fn content(&self, asked: &Asked, path: &ContentPath) -> Result<Answer, CarError> {
        let Some(root) = self.stored(&path.cid) else {
            return Ok(not_found(&format!(
                "the CID {} is not in this release",
                path.cid
            )));
        };
        let mut roots = vec![root];
        let mut cid = root;
        for name in &path.names {
            let entry = match self.store.entry(&cid, name) {
                Ok(entry) => entry,
                // As in Kubo, links are not followed.
                Err(error) => self.symlink(&cid, error).map(|_| None)?,
            };
            match entry {
                Some(next) => cid = next,
                None => return Ok(not_found(&format!("there is no {name:?} in {cid}"))),
            }
            roots.push(cid);
        }
        let format = asked.query_value("format");
        let accepted = asked.header(ACCEPT);
        let entity = |cid: &Cid, content_type: &str| Entity {
            tag: format!("\"{cid}\""),
            cache: IMMUTABLE,
            path: asked.path.clone(),
            roots: roots.clone(),
            content_type: content_type.to_owned(),
            is_negotiated: false,
        };
        // Trustless gateway: the query takes precedence over the header.
        let variant = match format.as_deref() {
            Some("raw") => return self.raw(asked, &cid, entity(&cid, accept::RAW)),
            Some(name) => match Variant::by_name(name) {
                Some(variant) => Some(variant),
                None => {
                    return Ok(not_acceptable(&format!(
                        "the format {name:?} is not supported by this gateway"
                    )));
                }
            },
            None if accept::names(&accepted, accept::RAW) => {
                return self.raw(asked, &cid, entity(&cid, accept::RAW));
            }
            None if accept::names(&accepted, accept::CAR) => {
                return Ok(not_acceptable(
                    "this gateway sends no CAR: request single blocks",
                ));
            }
            None => None,
        };
        match self.node(&cid)? {
            Node::File { .. } | Node::Symlink { .. } if path.is_folder => {
                Ok(not_found(&format!("{cid} is not a folder")))
            }
            Node::Symlink { target } => Ok(entity(&cid, media::SYMLINK).bytes(asked, target)),
            Node::File { size } => {
                let name = path.names.last().map_or("", String::as_str);
                self.file(asked, &cid, size, &entity(&cid, media::content_type(name)))
            }
            // The path gateway specification requires the redirect, so that relative links in the
            // page work.
            Node::Folder if !path.is_folder => {
                let query = asked
                    .query
                    .as_ref()
                    .map(|query| format!("?{query}"))
                    .unwrap_or_default();
                Ok(redirect(
                    StatusCode::MOVED_PERMANENTLY,
                    &format!("{}/{query}", asked.path),
                ))
            }
            Node::Folder => self.folder(asked, &cid, variant, entity(&cid, "")),
        }
    }

    /// The page of a folder.
    fn folder(
        &self,
        asked: &Asked,
        folder: &Cid,
        variant: Option<Variant>,
        mut entity: Entity,
    ) -> Result<Answer, CarError> {
        let index = self.store.entry(folder, INDEX)?;
        let json = self.store.entry(folder, Variant::Json.file_name())?;
        let (page, content_type) = match (index, json) {
            // PEP 691: a page in both formats.
            (Some(index), Some(json)) => {
                entity.is_negotiated = true;
                let Some(variant) = variant.or_else(|| accept::choose(&asked.header(ACCEPT)))
                else {
                    let mut answer = not_acceptable(
                        "this page is available as application/vnd.pypi.simple.v1+json, \
                         application/vnd.pypi.simple.v1+html and text/html",
                    );
                    answer
                        .headers
                        .insert(VARY, HeaderValue::from_static("Accept"));
                    return Ok(answer);
                };
                let is_html = variant.file_name() == INDEX;
                (if is_html { index } else { json }, variant.content_type())
            }
            (Some(index), None) => (index, media::content_type(INDEX)),
            (None, _) => {
                entity.tag = format!("\"DirIndex-{}_CID-{folder}\"", listing::VERSION);
                entity.cache = A_WEEK;
                media::content_type(INDEX).clone_into(&mut entity.content_type);
                let page = listing::page(folder, &self.store.list(folder)?.unwrap_or_default());
                return Ok(entity.bytes(asked, Bytes::from(page)));
            }
        };
        entity.tag = format!("\"{page}\"");
        content_type.clone_into(&mut entity.content_type);
        match self.node(&page)? {
            Node::File { size } => self.file(asked, &page, size, &entity),
            Node::Folder | Node::Symlink { .. } => {
                Ok(not_found(&format!("the page of {folder} is not a file")))
            }
        }
    }

    fn file(
        &self,
        asked: &Asked,
        cid: &Cid,
        size: u64,
        entity: &Entity,
    ) -> Result<Answer, CarError> {
        if let Some(answer) = entity.precondition(asked) {
            return Ok(answer);
        }
        let mut headers = entity.headers();
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // RFC 9110, 14.2: a range applies to GET only, and only if If-Range matches.
        let condition = asked.header(IF_RANGE);
        let has_range = asked.method == Method::GET
            && (condition.is_empty() || condition::if_range_holds(&condition, &entity.tag));
        let range = if has_range {
            range::parse(&asked.header(RANGE), size)
        } else {
            Range::Whole
        };
        let (status, start, length) = match range {
            Range::Whole => (StatusCode::OK, 0, size),
            Range::Part { start, length } => {
                let range = format!("bytes {start}-{}/{size}", start + length - 1);
                headers.insert(CONTENT_RANGE, header_value(&range));
                (StatusCode::PARTIAL_CONTENT, start, length)
            }
            Range::Unsatisfiable => {
                let mut answer = text_answer(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    &format!("the file has {size} bytes"),
                );
                answer
                    .headers
                    .insert(CONTENT_RANGE, header_value(&format!("bytes */{size}")));
                return Ok(answer);
            }
        };
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        let content = if asked.method == Method::HEAD {
            Content::Bytes(Bytes::new())
        } else {
            // Read before the status is sent, so that damage in the first block changes the status.
            let mut rest =
                FileRange::new(Arc::clone(&self.store), *cid, size, start..start + length);
            match rest.next()? {
                Some(first) => Content::File(first, rest),
                None => Content::Bytes(Bytes::new()),
            }
        };
        Ok(Answer {
            status,
            headers,
            content,
        })
    }

    /// The block itself (trustless gateway, "application/vnd.ipld.raw").
    fn raw(&self, asked: &Asked, cid: &Cid, mut entity: Entity) -> Result<Answer, CarError> {
        entity.tag = format!("\"{cid}.raw\"");
        let block = self.store.require(cid)?;
        let mut answer = entity.bytes(asked, Bytes::from(block));
        let name = format!("attachment; filename=\"{cid}.bin\"");
        answer
            .headers
            .insert(CONTENT_DISPOSITION, header_value(&name));
        Ok(answer)
    }

    /// The target of a path.
    fn node(&self, cid: &Cid) -> Result<Node, CarError> {
        match self.store.found(cid) {
            Ok(found) => Ok(match found.kind {
                Kind::File { size } => Node::File { size },
                Kind::Directory => Node::Folder,
            }),
            Err(error) => {
                let target = self.symlink(cid, error)?;
                Ok(Node::Symlink { target })
            }
        }
    }

    /// The target of a symbolic link, if that is why the node could not be read; otherwise the
    /// error.
    fn symlink(&self, cid: &Cid, error: CarError) -> Result<Bytes, CarError> {
        if !matches!(error, CarError::Node(_)) {
            return Err(error);
        }
        let block = self.store.require(cid)?;
        let target = symlink_target(cid, &block).map(Bytes::copy_from_slice);
        target.ok_or(error)
    }

    /// The CID under which the store has the content: version 0 and version 1 are equivalent.
    fn stored(&self, cid: &Cid) -> Option<Cid> {
        let other = match (cid.version(), cid.codec()) {
            (Version::V0, codec) => Some(Cid::v1(codec, cid.digest())),
            (Version::V1, Codec::DagPb) => Some(Cid::v0(cid.digest())),
            (Version::V1, Codec::Raw) => None,
        };
        [Some(*cid), other]
            .into_iter()
            .flatten()
            .find(|cid| self.store.contains(cid))
    }
}

fn not_found(sentence: &str) -> Answer {
    text_answer(StatusCode::NOT_FOUND, sentence)
}

fn not_acceptable(sentence: &str) -> Answer {
    text_answer(StatusCode::NOT_ACCEPTABLE, sentence)
}

fn redirect(status: StatusCode, address: &str) -> Answer {
    let mut answer = text_answer(status, address);
    answer.headers.insert(LOCATION, header_value(address));
    answer
}
