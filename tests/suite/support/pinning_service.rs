//! A pinning service on loopback, written from the Pinning Service API 1.0.0: what it takes and
//! answers, and its errors.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use url::Url;

use super::http;

/// What takes the place of an answer to a request that changes something.
#[derive(Clone)]
pub enum Fault {
    /// This status and body, `{authorization}` in it replaced by the request's header.
    Answer(u16, String),
    /// As if all were well, with a pin of another CID.
    OtherPin,
}

#[derive(Default)]
struct State {
    token: String,
    /// The pin objects (`PinStatus`) that are there.
    pins: Vec<Value>,
    /// How many there have been.
    count: usize,
    /// What a pin becomes each time that it is looked at: its status, and words for it.
    becomes: Vec<(&'static str, String)>,
    /// Method and path of each request.
    requests: Vec<String>,
    fault: Option<Fault>,
}

/// The service.
pub struct PinningService {
    /// Its endpoint.
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl PinningService {
    /// Starts one that lets this token in.
    pub fn start(token: &str) -> Self {
        let state = State {
            token: token.to_owned(),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let url = http::respond(move |request| response(request, &shared));
        Self { url, state }
    }

    /// What pins become from now on, a step each time that one is looked at.
    pub fn becomes(&self, steps: &[(&'static str, &str)]) {
        let steps = steps
            .iter()
            .map(|(status, words)| (*status, (*words).to_owned()));
        self.state.lock().unwrap().becomes = steps.collect();
    }

    pub fn fails(&self, fault: Option<Fault>) {
        self.state.lock().unwrap().fault = fault;
    }

    /// The pin objects that are there.
    pub fn pins(&self) -> Vec<Value> {
        self.state.lock().unwrap().pins.clone()
    }

    /// Method and path of each request since the last time.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// Changes the pin objects from outside.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.state.lock().unwrap().pins);
    }
}

struct Request {
    method: String,
    url: Url,
    authorization: String,
    body: Vec<u8>,
}

fn response(request: &http::Request, state: &Mutex<State>) -> Vec<u8> {
    let request = Request {
        method: request.method.clone(),
        url: Url::parse(&format!("http://loopback{}", request.path)).unwrap(),
        authorization: request.header("authorization").to_owned(),
        body: request.body.clone(),
    };
    let (status, body) = state.lock().unwrap().answer(&request);
    let location = format!("http://127.0.0.1:1/?{}", request.authorization);
    let mut headers = vec![("Content-Type", "application/json")];
    if status == 302 {
        headers.push(("Location", &location));
    }
    http::whole(&format!("{status} Words"), &headers, body.as_bytes())
}

fn failure(status: u16, reason: &str, details: &str) -> (u16, String) {
    let body = json!({ "error": { "reason": reason, "details": details } });
    (status, body.to_string())
}

impl State {
    fn answer(&mut self, request: &Request) -> (u16, String) {
        let path = request.url.path().to_owned();
        self.requests.push(format!("{} {path}", request.method));
        if request.authorization != format!("Bearer {}", self.token) {
            return failure(401, "UNAUTHORIZED", "access token is missing or invalid");
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["pins"]) => self.list(&request.url),
            ("GET", ["pins", id]) => match self.place(id) {
                None => failure(404, "NOT_FOUND", "the specified resource was not found"),
                Some(place) => {
                    self.step(place);
                    (200, self.pins[place].to_string())
                }
            },
            ("POST", ["pins", rest @ ..]) => self.add(request, rest.first().copied()),
            ("DELETE", ["pins", id]) => match self.place(id) {
                None => failure(404, "NOT_FOUND", "the specified resource was not found"),
                Some(place) => {
                    self.pins.remove(place);
                    (202, String::new())
                }
            },
            _ => failure(404, "NOT_FOUND", "there is no such path"),
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.pins.iter().position(|pin| pin["requestid"] == id)
    }

    fn step(&mut self, place: usize) {
        if !self.becomes.is_empty() {
            let (status, words) = self.becomes.remove(0);
            self.pins[place]["status"] = status.into();
            self.pins[place]["info"] = json!({ "status_details": words });
        }
    }

    fn list(&self, url: &Url) -> (u16, String) {
        let value = |key: &str| {
            let mut pairs = url.query_pairs();
            pairs.find_map(|(name, value)| (name == key).then(|| value.into_owned()))
        };
        let statuses = value("status").unwrap_or_else(|| "pinned".to_owned());
        let limit: usize = value("limit").map_or(10, |text| text.parse().unwrap_or(0));
        if !(1..=1000).contains(&limit) {
            return failure(400, "BAD_REQUEST", "limit is from 1 to 1000");
        }
        let name = value("name");
        let found: Vec<&Value> = self
            .pins
            .iter()
            .filter(|pin| name.is_none() || pin["pin"]["name"].as_str() == name.as_deref())
            .filter(|pin| statuses.split(',').any(|status| pin["status"] == status))
            .collect();
        let count = found.len();
        let found: Vec<&Value> = found.into_iter().rev().take(limit).collect();
        (200, json!({ "count": count, "results": found }).to_string())
    }

    fn add(&mut self, request: &Request, replaced: Option<&str>) -> (u16, String) {
        let Ok(mut pin) = serde_json::from_slice::<Value>(&request.body) else {
            return failure(400, "BAD_REQUEST", "the body is no JSON");
        };
        let texts = |value: &Value| {
            value
                .as_array()
                .is_none_or(|texts| texts.len() <= 20 && texts.iter().all(Value::is_string))
        };
        let is_pin = pin["cid"].is_string()
            && pin["name"]
                .as_str()
                .is_none_or(|name| name.chars().count() <= 255)
            && texts(&pin["origins"])
            && pin["meta"]
                .as_object()
                .is_none_or(|meta| meta.values().all(Value::is_string));
        if !is_pin {
            return failure(400, "BAD_REQUEST", "this is no pin");
        }
        match self.fault.clone() {
            Some(Fault::Answer(status, body)) => {
                return (
                    status,
                    body.replace("{authorization}", &request.authorization),
                );
            }
            Some(Fault::OtherPin) => {
                pin["cid"] = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy".into();
            }
            None => {}
        }
        if let Some(replaced) = replaced {
            match self.place(replaced) {
                None => return failure(404, "NOT_FOUND", "the specified resource was not found"),
                Some(place) => drop(self.pins.remove(place)),
            }
        }
        self.count += 1;
        let status = json!({
            "requestid": format!("request-{}", self.count),
            "status": "queued",
            "created": format!("2026-11-21T12:00:{:02}Z", self.count),
            "pin": pin,
            "delegates": ["/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWHEZN6WR5GWdfQFKdcmoq6EZvYtNzgysS3Vm9grkLQdab"],
        });
        self.pins.push(status.clone());
        (202, status.to_string())
    }
}
