//! Agents that keep keys: OpenSSH's own, and one that is written from the protocol's text and can
//! do wrong.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use ipwhl::foundation::environment::exchange;
use ipwhl::release::signature::{Agent, AgentError, Awaited, MAXIMUM_ANSWER_SIZE, PublicKey};
use sha2::{Digest as _, Sha256};

use super::tool;
use super::workshop::Ending;

/// The real `ssh-agent`, ended with this value.
pub struct OpensshAgent {
    pub socket: PathBuf,
    folder: PathBuf,
    _process: Ending,
}

impl OpensshAgent {
    /// One that listens in a folder, and loads authenticators from `providers` only.
    pub fn start(folder: &Path, providers: &str) -> Self {
        let (agent, _) = (tool("ssh-agent"), tool("ssh-add"));
        let socket = folder.join("agent");
        let mut command = Command::new(agent);
        command
            .arg("-D")
            .args(["-P", providers])
            .arg("-a")
            .arg(&socket)
            .env_remove("SSH_ASKPASS")
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        // It says where it listens once it does.
        let (process, lines) = Ending::start(&mut command, |_| true);
        assert!(lines[0].contains("SSH_AUTH_SOCK"), "{lines:?}");
        Self {
            socket,
            folder: folder.to_owned(),
            _process: process,
        }
    }

    /// Runs a program of OpenSSH with this agent; what asks for a passphrase gets this one.
    pub fn run(&self, program: &str, arguments: &[&str], passphrase: &str) -> Output {
        let asks = self.folder.join("asks");
        fs::write(&asks, format!("#!/bin/sh\necho '{passphrase}'\n")).unwrap();
        fs::set_permissions(&asks, fs::Permissions::from_mode(0o700)).unwrap();
        let output = Command::new(tool(program))
            .args(arguments)
            .current_dir(&self.folder)
            .env("SSH_AUTH_SOCK", &self.socket)
            .env("SSH_ASKPASS", &asks)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?} {output:?}"
        );
        output
    }
}

/// A way to an agent for whoever tests the library and not the program.
pub struct Socket(pub PathBuf);

impl Agent for Socket {
    fn ask(&self, message: &[u8], _: Awaited) -> Result<Vec<u8>, AgentError> {
        exchange(
            &self.0,
            message,
            MAXIMUM_ANSWER_SIZE,
            Duration::from_mins(1),
        )
        .map_err(|error| AgentError::Unreachable(error.to_string()))
    }
}

/// What the written agent does when it is asked for a signature.
#[derive(Debug, Clone)]
pub enum Does {
    /// Signs.
    Right,
    /// Signs as a hardware key that nobody touched does.
    Untouched,
    /// Signs something else.
    OtherBytes,
    /// Says no.
    Refuses,
    /// Answers with these bytes instead.
    Says(Vec<u8>),
    /// Sends these bytes, which need not be an answer with its length, and hangs up.
    Sends(Vec<u8>),
}

/// An agent with one key, an Ed25519 one in software that it may claim to be hardware.
pub struct WrittenAgent {
    pub socket: PathBuf,
    pub public: PublicKey,
    does: Arc<Mutex<Does>>,
}

fn string(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    to.extend_from_slice(bytes);
}

fn take<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let (length, rest) = bytes.split_first_chunk::<4>().unwrap();
    let (found, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
    *bytes = rest;
    found
}

impl WrittenAgent {
    /// Starts it; it lives as long as the tests' process.
    pub fn start(folder: &Path, seed: u8, application: Option<&str>) -> Self {
        let socket = folder.join("written-agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let key = SigningKey::from_bytes(&[seed; 32]);
        let bytes = key.verifying_key().to_bytes();
        let public = match application {
            None => PublicKey::Ed25519(bytes),
            Some(application) => PublicKey::Hardware {
                key: bytes,
                application: application.to_owned(),
            },
        };
        let does = Arc::new(Mutex::new(Does::Right));
        let agent = Self {
            socket,
            public: public.clone(),
            does: does.clone(),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let does = does.lock().unwrap().clone();
                answer(stream.unwrap(), &key, &public, &does);
            }
        });
        agent
    }

    pub fn does(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }
}

/// Answers one question.
fn answer(mut stream: UnixStream, key: &SigningKey, public: &PublicKey, does: &Does) {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut message = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut message).unwrap();
    let mut answer = Vec::new();
    match (message[0], does) {
        // SSH_AGENTC_REQUEST_IDENTITIES: another key first, of a kind that nobody knows, its
        // comment no text.
        (11, _) => {
            answer.push(12);
            answer.extend_from_slice(&2_u32.to_be_bytes());
            string(&mut answer, b"\0\0\0\x03xyz");
            string(&mut answer, b"\xff\xfe");
            string(&mut answer, &public.blob());
            string(&mut answer, b"of the agent");
        }
        (13, Does::Refuses) => answer.push(5),
        (13, Does::Says(bytes)) => answer.extend_from_slice(bytes),
        (13, Does::Sends(bytes)) => {
            let _ = stream.write_all(bytes);
            return;
        }
        (13, does) => {
            let mut rest = &message[1..];
            assert_eq!(take(&mut rest), public.blob());
            let mut data = take(&mut rest).to_vec();
            assert_eq!(rest, [0; 4], "flags");
            if matches!(does, Does::OtherBytes) {
                data.push(0);
            }
            answer.push(14);
            string(&mut answer, &signature(key, public, &data, does));
        }
        other => panic!("{other:?}"),
    }
    let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
    let _ = stream.write_all(&[&length[..], &answer].concat());
}

/// A signature in its wire form (RFC 8709, section 6; PROTOCOL.u2f, "SSH U2F Signatures").
fn signature(key: &SigningKey, public: &PublicKey, data: &[u8], does: &Does) -> Vec<u8> {
    let mut signature = Vec::new();
    string(&mut signature, public.algorithm().as_bytes());
    match public {
        PublicKey::Ed25519(_) => string(&mut signature, &key.sign(data).to_bytes()),
        PublicKey::Hardware { application, .. } => {
            let flags = u8::from(!matches!(does, Does::Untouched));
            let trailer = [&[flags][..], &7_u32.to_be_bytes()].concat();
            let mut signed = Sha256::digest(application).to_vec();
            signed.extend_from_slice(&trailer);
            signed.extend_from_slice(&Sha256::digest(data));
            string(&mut signature, &key.sign(&signed).to_bytes());
            signature.extend_from_slice(&trailer);
        }
    }
    signature
}
