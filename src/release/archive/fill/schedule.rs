//! Distributes the missing blocks among gateways, and reassigns slow requests.
//!
//! All gateways of a group work on one list, from its start. A gateway without new work takes over
//! requests that are below their minimum rate, like the end game of `BitTorrent`; the first answer
//! wins. Times are arguments: they affect only the choice of gateways.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::gateway::Gateway;
use crate::source::{Pace, Received};

/// The maximum time for which a request may receive nothing, at its start and later.
const GRACE: Duration = Duration::from_secs(5);
/// The expected duration of a request: with its size it gives the minimum rate.
const EXPECTED_SECONDS: u64 = 60;
/// The smallest minimum rate, in bytes a second: that of a block.
const LEAST_RATE: u64 = 16 * 1024;
/// The largest minimum rate, in bytes a second: that of a large archive.
const GREATEST_RATE: u64 = 256 * 1024;

/// The items for a group of gateways, and the running requests.
pub(super) struct Schedule<'g> {
    pub(super) gateways: &'g mut [Gateway],
    lanes: Vec<Lane>,
    items: Vec<Item>,
    runs: BTreeMap<usize, Run>,
    /// The number of started runs.
    started: usize,
    /// The maximum number of concurrent requests to one gateway.
    jobs: usize,
}

/// The position of one gateway in the list.
#[derive(Default)]
struct Lane {
    received: Received,
    running: usize,
    /// The first item that it has not reached.
    next: usize,
    /// Earlier items that other gateways failed to provide.
    returned: VecDeque<usize>,
}

/// An item to fetch: a DAG or a block.
#[derive(Default)]
struct Item {
    size: u64,
    is_done: bool,
    /// The gateways that failed to provide it.
    failed: BTreeSet<usize>,
    /// The running requests for the item.
    runs: Vec<usize>,
}

/// A running request.
struct Run {
    item: usize,
    gateway: usize,
    received: Received,
    began: Instant,
    pace: Pace,
}

/// A request to be made.
pub(super) struct Assignment {
    pub(super) run: usize,
    pub(super) item: usize,
    pub(super) gateway: usize,
    pub(super) received: Received,
}

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The whole item arrived.
    Whole,
    /// An archive broke off. Another request for the same item continues; without one, the next
    /// round requests the rest.
    Part,
    /// Nothing usable arrived.
    Nothing,
}

/// The minimum rate of a request of this size, in bytes a second; a slower request is overtaken.
fn minimum_rate(size: u64) -> u64 {
    (size / EXPECTED_SECONDS).clamp(LEAST_RATE, GREATEST_RATE)
}

impl<'g> Schedule<'g> {
    /// The schedule for items of these sizes, in bytes, with `jobs` concurrent requests for each
    /// gateway.
    pub(super) fn new(
        gateways: &'g mut [Gateway],
        sizes: impl Iterator<Item = u64>,
        jobs: usize,
    ) -> Self {
        Self {
            lanes: gateways.iter().map(|_| Lane::default()).collect(),
            items: sizes
                .map(|size| Item {
                    size,
                    ..Item::default()
                })
                .collect(),
            gateways,
            runs: BTreeMap::new(),
            started: 0,
            jobs,
        }
    }

    /// The next request to make; `None` if there is none for now. Gateways that are not slow come
    /// first, then those with fewer requests.
    pub(super) fn next(&mut self, now: Instant) -> Option<Assignment> {
        let mut order: Vec<usize> = (0..self.lanes.len()).collect();
        order.retain(|gateway| !self.gateways[*gateway].is_left_alone());
        order.sort_by_key(|at| (self.gateways[*at].is_slow, self.lanes[*at].running));
        for gateway in order {
            if self.lanes[gateway].running >= self.jobs {
                continue;
            }
            let item = self.new_item(gateway);
            if let Some(item) = item.or_else(|| self.item_to_take_over(gateway, now)) {
                return Some(self.start(item, gateway, now));
            }
        }
        None
    }

    /// Measures all requests, and marks slow gateways.
    pub(super) fn observe(&mut self, now: Instant) {
        for run in self.runs.values_mut() {
            run.pace.observe(run.received.bytes(), now);
            if run.pace.is_behind(now) {
                self.gateways[run.gateway].is_slow = true;
            }
        }
    }

    /// Ends a run. Returns the runs to cancel, because this one has provided the same item.
    pub(super) fn finish(&mut self, run: usize, end: End, now: Instant) -> Vec<usize> {
        self.observe(now);
        let Some(Run { item, gateway, .. }) = self.end(run, end != End::Nothing, now) else {
            return Vec::new();
        };
        let is_raced = !self.items[item].runs.is_empty();
        if end == End::Nothing || (end == End::Part && is_raced) {
            self.items[item].failed.insert(gateway);
            if !is_raced {
                self.give_back(item);
            }
            return Vec::new();
        }
        self.items[item].is_done = true;
        let losers = self.items[item].runs.clone();
        for loser in &losers {
            if let Some(run) = self.end(*loser, false, now)
                && run.pace.is_behind(now)
            {
                let time = now.saturating_duration_since(run.began);
                self.gateways[run.gateway].record_overtaken(run.pace.seen(), time);
            }
        }
        losers
    }

    /// The gateways that have not failed to provide an item.
    pub(super) fn not_asked(&self, item: usize) -> impl Iterator<Item = &Gateway> {
        let failed = &self.items[item].failed;
        let gateways = self.gateways.iter().enumerate();
        gateways.filter_map(move |(number, gateway)| (!failed.contains(&number)).then_some(gateway))
    }

    pub(super) fn is_done(&self, item: usize) -> bool {
        self.items[item].is_done
    }

    fn start(&mut self, item: usize, gateway: usize, now: Instant) -> Assignment {
        let run = self.started;
        self.started += 1;
        let received = self.lanes[gateway].received.another();
        self.lanes[gateway].running += 1;
        self.items[item].runs.push(run);
        self.runs.insert(
            run,
            Run {
                item,
                gateway,
                received: received.clone(),
                began: now,
                pace: Pace::new(minimum_rate(self.items[item].size), GRACE, now),
            },
        );
        Assignment {
            run,
            item,
            gateway,
            received,
        }
    }

    fn end(&mut self, run: usize, is_new: bool, now: Instant) -> Option<Run> {
        let ended = self.runs.remove(&run)?;
        self.lanes[ended.gateway].running -= 1;
        self.items[ended.item].runs.retain(|other| *other != run);
        if is_new && !ended.pace.is_behind(now) {
            self.gateways[ended.gateway].is_slow = false;
        }
        Some(ended)
    }

    /// Offers an item that a gateway lacks to gateways that have passed it.
    fn give_back(&mut self, item: usize) {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if lane.next > item && !self.items[item].failed.contains(&number) {
                lane.returned.push_back(item);
            }
        }
    }

    /// The next item that was not requested yet.
    fn new_item(&mut self, gateway: usize) -> Option<usize> {
        loop {
            let lane = &self.lanes[gateway];
            let is_returned = !lane.returned.is_empty();
            let item = lane.returned.front().copied().unwrap_or(lane.next);
            let candidate = self.items.get(item)?;
            let is_free = !candidate.is_done && candidate.runs.is_empty();
            if is_free && lane.running > 0 && self.is_for_others(item, gateway) {
                return None;
            }
            let lane = &mut self.lanes[gateway];
            if is_returned {
                lane.returned.pop_front();
            } else {
                lane.next += 1;
            }
            if is_free {
                return Some(item);
            }
        }
    }

    /// Whether this gateway is slow, and another one that is not may have the item. A slow gateway
    /// then has one request at a time.
    fn is_for_others(&self, item: usize, gateway: usize) -> bool {
        self.gateways[gateway].is_slow
            && self
                .not_asked(item)
                .any(|other| !other.is_slow && !other.is_left_alone())
    }

    /// The item whose requests are all furthest behind, and that this gateway may have. A slow
    /// gateway takes over no request while it has others.
    fn item_to_take_over(&self, gateway: usize, now: Instant) -> Option<usize> {
        if self.gateways[gateway].is_slow && self.lanes[gateway].running > 0 {
            return None;
        }
        let behind = self.runs.values().filter(|run| {
            let item = &self.items[run.item];
            let is_open_to = |other: &usize| {
                let run = &self.runs[other];
                run.gateway != gateway && run.pace.is_behind(now)
            };
            !item.failed.contains(&gateway) && item.runs.iter().all(is_open_to)
        });
        behind
            .min_by_key(|run| run.pace.deadline())
            .map(|run| run.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn gateways(count: usize) -> Vec<Gateway> {
        let url = |number| format!("https://{number}.example.org/").parse();
        (0..count)
            .map(|number| Gateway::new(url(number).expect("an address")))
            .collect()
    }

    /// All requests to make now, as pairs of gateway and item, and the requests themselves.
    fn all(schedule: &mut Schedule<'_>, now: Instant) -> (Vec<(usize, usize)>, Vec<Assignment>) {
        let mut made = Vec::new();
        while let Some(next) = schedule.next(now) {
            made.push(next);
        }
        let pairs = made.iter().map(|one| (one.gateway, one.item)).collect();
        (pairs, made)
    }

    #[test]
    fn the_minimum_rate_grows_with_the_size_within_bounds() {
        assert_eq!(minimum_rate(0), LEAST_RATE);
        assert_eq!(minimum_rate(6_000_000), 100_000);
        assert_eq!(minimum_rate(u64::MAX), GREATEST_RATE);
    }

    #[test]
    fn a_request_is_behind_when_its_grace_is_used_up_and_what_comes_moves_it_on() {
        let now = Instant::now();
        let mut gateways = gateways(1);
        let mut schedule = Schedule::new(&mut gateways, [1 << 20].into_iter(), 1);
        let received = schedule.next(now).expect("a request").received;
        let mut is_behind = |at: Duration, bytes: u64| {
            received.add(bytes);
            schedule.observe(now + at);
            schedule.runs[&0].pace.is_behind(now + at)
        };
        assert!(!is_behind(GRACE, 0));
        // A burst earns the grace once more, and no more than that.
        assert!(!is_behind(GRACE, 100_000_000));
        assert!(!is_behind(2 * GRACE, 0));
        assert!(is_behind(2 * GRACE + SECOND, 0));
        assert!(!is_behind(2 * GRACE + 2 * SECOND, 200_000));
    }

    #[test]
    fn gateways_share_the_list_and_an_idle_one_takes_over_what_is_behind() {
        let now = Instant::now();
        let mut gateways = gateways(2);
        let mut schedule = Schedule::new(&mut gateways, [1000; 5].into_iter(), 2);
        let (pairs, made) = all(&mut schedule, now);
        assert_eq!(pairs, [(0, 0), (1, 1), (0, 2), (1, 3)]);
        // The second gateway continues, and is idle in the end, because no request is behind yet.
        for done in [1, 3] {
            assert!(schedule.finish(done, End::Whole, now).is_empty());
        }
        assert_eq!(all(&mut schedule, now).0, [(1, 4)]);
        schedule.finish(4, End::Whole, now + SECOND);
        assert!(all(&mut schedule, now + SECOND).0.is_empty());
        let late = now + GRACE + SECOND;
        made[0].received.add(10);
        schedule.observe(late);
        let (pairs, taken) = all(&mut schedule, late);
        assert_eq!(pairs, [(1, 2), (1, 0)]);
        // Its answer to the first is the first: the other request is dropped. The slow one wins the
        // other race.
        assert_eq!(
            schedule.finish(taken[1].run, End::Whole, late),
            [made[0].run]
        );
        assert_eq!(
            schedule.finish(made[2].run, End::Whole, late),
            [taken[0].run]
        );
        assert!((0..5).all(|item| schedule.is_done(item)));
        let warning = gateways[0].warning().expect("a warning");
        assert_eq!(warning.place, "https://0.example.org/");
        assert_eq!((warning.wrong, warning.failed), (None, None));
        let overtaken = warning.overtaken.expect("an overtaken request");
        assert_eq!((overtaken.requests, overtaken.bytes), (1, 10));
        assert_eq!(overtaken.time, late - now);
        assert_eq!(gateways[1].warning(), None);
    }

    #[test]
    fn a_slow_gateway_has_one_request_while_others_stand_by() {
        let now = Instant::now();
        let mut gateways = gateways(2);
        gateways[0].is_slow = true;
        let mut schedule = Schedule::new(&mut gateways, [1000; 6].into_iter(), 3);
        let (pairs, made) = all(&mut schedule, now);
        assert_eq!(pairs, [(1, 0), (1, 1), (1, 2), (0, 3)]);
        // Items that the other one lacks are all for the slow one.
        for lacking in &made[..3] {
            schedule.finish(lacking.run, End::Nothing, now);
        }
        assert_eq!(all(&mut schedule, now).0, [(1, 4), (1, 5), (0, 0), (0, 1)]);
        // A request that ends in time clears its name.
        schedule.finish(3, End::Whole, now + SECOND);
        assert!(!schedule.gateways[0].is_slow);
    }

    #[test]
    fn what_one_lacks_goes_to_the_next_and_nobody_is_asked_twice() {
        let now = Instant::now();
        let mut gateways = gateways(2);
        let mut schedule = Schedule::new(&mut gateways, [1000; 2].into_iter(), 4);
        let mut asked = Vec::new();
        loop {
            let (pairs, made) = all(&mut schedule, now);
            if made.is_empty() {
                break;
            }
            asked.extend(pairs);
            for one in made {
                schedule.finish(one.run, End::Nothing, now);
            }
        }
        asked.sort_unstable();
        assert_eq!(asked, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(schedule.not_asked(0).count(), 0);
    }

    #[test]
    fn an_archive_that_breaks_off_does_not_end_the_request_that_overtakes_it() {
        let now = Instant::now();
        let late = now + GRACE + SECOND;
        let mut gateways = gateways(2);
        let mut schedule = Schedule::new(&mut gateways, [1 << 30].into_iter(), 1);
        let (_, first) = all(&mut schedule, now);
        schedule.observe(late);
        let (pairs, second) = all(&mut schedule, late);
        assert_eq!(pairs, [(1, 0)]);
        assert!(schedule.finish(first[0].run, End::Part, late).is_empty());
        assert!(!schedule.is_done(0));
        schedule.finish(second[0].run, End::Part, late);
        assert!(schedule.is_done(0));
    }
}
