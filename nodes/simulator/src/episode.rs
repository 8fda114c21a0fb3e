//! When an episode is over.

use tiller_world::Verdict;

/// How long the world goes on after the reward program has ended: what was pushed may still have
/// to come to rest, ns.
const GRACE_NS: u64 = 2_000_000_000;

/// Watches one episode.
#[derive(Debug)]
pub(crate) struct Episode {
    limit_ns: u64,
    /// How far the episode was when it was looked at last, ns, and what of that was none of its time.
    looked_ns: u64,
    paused_ns: u64,
    /// A program has been followed.
    has_program: bool,
    /// A program waits for an operator's word.
    is_awaited: bool,
    program_ended_ns: Option<u64>,
    /// Nobody will write a program.
    is_refused: bool,
}

/// Why an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The task was achieved.
    Success,
    /// The reward program has ended, and nothing more will be done.
    ProgramEnded,
    /// There is no reward program, and none will come.
    NoProgram,
    /// The time is up.
    Timeout,
    /// The wall clock's time is up, however little was simulated.
    WallClock,
}

impl Over {
    /// For people.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Over::Success => "the task is achieved",
            Over::ProgramEnded => "the reward program has ended, but the task is not achieved",
            Over::NoProgram => "there is no reward program, and none will come",
            Over::Timeout => "the time is up",
            Over::WallClock => "the wall clock's limit is reached",
        }
    }
}

impl Episode {
    /// An episode of at most `limit_ns` of simulated time.
    pub(crate) fn new(limit_ns: u64) -> Self {
        Self {
            limit_ns,
            looked_ns: 0,
            paused_ns: 0,
            has_program: false,
            is_awaited: false,
            program_ended_ns: None,
            is_refused: false,
        }
    }

    /// Takes note that no program will come.
    pub(crate) fn on_refusal(&mut self) {
        self.is_refused = true;
    }

    /// Takes note of a program that waits for an operator's word, or does so no longer.
    pub(crate) fn on_proposal(&mut self, is_awaited: bool) {
        self.is_awaited = is_awaited;
    }

    /// Takes note that a reward program is followed, or has ended; a later decision may take that back.
    pub(crate) fn on_program(&mut self, ended: bool, now_ns: u64) {
        self.has_program = true;
        self.program_ended_ns = if ended {
            Some(self.program_ended_ns.unwrap_or(now_ns))
        } else {
            None
        };
    }

    /// Time has gone on to `now_ns`; while an operator has the arm rest, or is still to approve what it is to do first, that is
    /// none of the episode's.
    pub(crate) fn pass(&mut self, now_ns: u64, is_paused: bool) -> &Self {
        let passed_ns = now_ns.saturating_sub(self.looked_ns);
        self.looked_ns = now_ns;
        let is_waiting = self.is_awaited && !self.has_program;
        self.paused_ns += passed_ns * u64::from(is_paused || is_waiting);
        self
    }

    /// Whether the episode is over at `now_ns`, and why.
    pub(crate) fn check(&self, now_ns: u64, verdict: &Verdict) -> Option<Over> {
        if verdict.success {
            return Some(Over::Success);
        }
        if verdict.achieved {
            // It may still have to hold for a while.
            return None;
        }
        if self
            .program_ended_ns
            .is_some_and(|ended_ns| now_ns >= ended_ns + GRACE_NS)
        {
            return Some(Over::ProgramEnded);
        }
        if self.is_refused {
            return Some(Over::NoProgram);
        }
        (now_ns >= self.limit_ns + self.paused_ns).then_some(Over::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_YET: Verdict = Verdict {
        tasks: Vec::new(),
        achieved: false,
        success: false,
        completed: Vec::new(),
        collateral: Vec::new(),
    };

    #[test]
    fn what_is_achieved_may_hold_beyond_the_limit() {
        let episode = Episode::new(10_000_000_000);
        let achieved = Verdict {
            achieved: true,
            ..NOT_YET
        };
        let success = Verdict {
            success: true,
            ..achieved.clone()
        };
        assert_eq!(episode.check(1_000_000_000, &NOT_YET), None);
        assert_eq!(episode.check(9_800_000_000, &achieved), None);
        assert_eq!(episode.check(10_200_000_000, &achieved), None);
        assert_eq!(episode.check(10_800_000_000, &success), Some(Over::Success));
        assert_eq!(episode.check(10_800_000_000, &NOT_YET), Some(Over::Timeout));
    }

    #[test]
    fn the_end_of_the_program_ends_it_after_a_while() {
        let mut episode = Episode::new(10_000_000_000);
        episode.on_program(true, 1_000_000_000);
        episode.on_program(true, 2_000_000_000);
        assert_eq!(episode.check(2_900_000_000, &NOT_YET), None);
        episode.on_program(false, 2_950_000_000);
        assert_eq!(
            episode.check(3_000_000_000, &NOT_YET),
            None,
            "a new program has begun"
        );
        episode.on_program(true, 4_000_000_000);
        assert_eq!(
            episode.check(6_000_000_000, &NOT_YET),
            Some(Over::ProgramEnded)
        );
    }

    #[test]
    fn a_pause_is_no_time_of_the_episode() {
        let mut episode = Episode::new(1_000);
        assert_eq!(episode.pass(600, false).check(600, &NOT_YET), None);
        for now_ns in (700..=9_000).step_by(100) {
            assert_eq!(episode.pass(now_ns, true).check(now_ns, &NOT_YET), None);
        }
        assert_eq!(episode.pass(9_300, false).check(9_300, &NOT_YET), None);
        let over = episode.pass(9_400, false).check(9_400, &NOT_YET);
        assert_eq!(over, Some(Over::Timeout));
    }

    #[test]
    fn reading_a_first_program_takes_no_time_of_the_episode() {
        let mut episode = Episode::new(1_000);
        episode.on_proposal(true);
        assert_eq!(episode.pass(5_000, false).check(5_000, &NOT_YET), None);
        episode.on_proposal(false);
        assert_eq!(episode.pass(5_400, false).check(5_400, &NOT_YET), None);
        // One that would take the place of another is read while the arm goes on.
        episode.on_program(false, 5_400);
        episode.on_proposal(true);
        assert_eq!(episode.pass(5_900, false).check(5_900, &NOT_YET), None);
        let over = episode.pass(6_000, false).check(6_000, &NOT_YET);
        assert_eq!(over, Some(Over::Timeout));
    }

    #[test]
    fn time_ends_it_otherwise() {
        let mut episode = Episode::new(1_000);
        assert_eq!(episode.check(999, &NOT_YET), None);
        assert_eq!(episode.check(1_000, &NOT_YET), Some(Over::Timeout));
        episode.on_refusal();
        assert_eq!(episode.check(20, &NOT_YET), Some(Over::NoProgram));
    }
}
