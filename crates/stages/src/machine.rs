//! The machine itself.

use tiller_core::{Plateau, Problems};

use crate::config::StageConfig;
use crate::decision::{
    Advice, AdviceRefusal, Decision, DecisionKind, ProgramRefusal, ProgressReading, Query,
    StageInfo,
};
use crate::gripper::{GripperEvent, GripperWatch};
use crate::schmitt::{Crossing, SchmittTrigger};

/// Decides which stage is active. One input gives at most one [`Decision`]; none means "go on".
#[derive(Debug, Clone)]
pub struct StageMachine {
    config: StageConfig,
    program: Vec<Budget>,
    /// 1-based; 0 before the first program.
    stage: u32,
    visit: u32,
    entered_ns: u64,
    now_ns: u64,
    ended: bool,
    keypoints_stale: bool,
    asked: bool,
    done_streak: u32,
    high_streak: u32,
    achieved: f64,
    /// Of the visit's progress.
    plateau: Plateau,
    trigger: SchmittTrigger,
    gripper: GripperWatch,
    event: Option<GripperEvent>,
}

/// A stage and what has been spent on it.
#[derive(Debug, Clone)]
struct Budget {
    info: StageInfo,
    visits: u32,
    timeouts: u32,
    /// Timeouts since it was last complete.
    in_a_row: u32,
}

impl StageMachine {
    /// A machine without a program.
    ///
    /// # Errors
    /// Every problem of the settings.
    pub fn new(config: StageConfig) -> Result<Self, Problems> {
        config.validate()?;
        Ok(Self {
            trigger: SchmittTrigger::new(config.lower, config.upper),
            gripper: GripperWatch::new(config.gripper_speed_m_s, config.gripper_travel_m),
            plateau: Plateau::new(config.least_progress),
            config,
            program: Vec::new(),
            stage: 0,
            visit: 0,
            entered_ns: 0,
            now_ns: 0,
            ended: false,
            keypoints_stale: false,
            asked: false,
            done_streak: 0,
            high_streak: 0,
            achieved: 0.0,
            event: None,
        })
    }

    /// The active stage, 1-based; 0 before the first program.
    pub fn stage(&self) -> u32 {
        self.stage
    }

    /// The active visit; 0 before the first program.
    pub fn visit(&self) -> u32 {
        self.visit
    }

    /// Stages of the program.
    pub fn num_stages(&self) -> u32 {
        self.program.len() as u32
    }

    /// Whether the program has finished or was given up.
    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// Whether the sampler should steer now.
    pub fn guidance(&self) -> bool {
        let guided = self.current().is_some_and(|budget| budget.info.guided);
        guided && !self.ended && !self.keypoints_stale
    }

    /// Starts a program at its first stage; whatever ran before is dropped.
    ///
    /// # Errors
    /// [`ProgramRefusal`] for a program without stages; the current one then goes on.
    pub fn on_program(
        &mut self,
        stamp_ns: u64,
        stages: &[StageInfo],
    ) -> Result<Decision, ProgramRefusal> {
        if stages.is_empty() {
            return Err(ProgramRefusal::NoStages);
        }
        self.advance_clock(stamp_ns);
        let fresh = |info: &StageInfo| Budget {
            info: info.clone(),
            visits: 0,
            timeouts: 0,
            in_a_row: 0,
        };
        self.program = stages.iter().map(fresh).collect();
        self.ended = false;
        self.event = None;
        let reason = format!("a program with {} stage(s) starts", stages.len());
        Ok(self.enter(1, DecisionKind::Advance, reason))
    }

    /// Forgets the program; visits go on being counted.
    pub fn clear(&mut self) {
        self.program.clear();
        self.stage = 0;
        self.ended = false;
        self.event = None;
        self.plateau.reset();
    }

    /// Feeds a progress reading; those of another stage or visit only move the clock.
    pub fn on_progress(&mut self, reading: &ProgressReading) -> Option<Decision> {
        self.advance_clock(reading.stamp_ns);
        if !self.is_active() || (reading.stage, reading.visit) != (self.stage, self.visit) {
            return self.on_time(reading.stamp_ns);
        }
        self.achieved = reading.achieved;
        let crossing = self.trigger.update(reading.achieved);
        let evidence = self.evidence(reading);
        if let Some(reason) = evidence {
            return Some(self.complete(reason));
        }
        if crossing == Some(Crossing::Down)
            && let Some(decision) = self.slip()
        {
            return Some(decision);
        }
        if let Some(idle_ns) = self.stalled_for(reading) {
            let spent = format!("stayed on a plateau for {:.1} s", idle_ns as f64 * 1e-9);
            return Some(self.overrun(&spent));
        }
        self.on_time(reading.stamp_ns)
    }

    /// How long a later stage has been on a plateau, if that is too long. The first stage stands on
    /// nothing that repeating another one could mend.
    fn stalled_for(&mut self, reading: &ProgressReading) -> Option<u64> {
        let idle_ns = self.plateau.observe(reading.achieved, reading.executed_ns);
        let guided = self.guidance();
        (guided && self.stage > 1 && idle_ns >= self.config.stall_ns).then_some(idle_ns)
    }

    /// Feeds a measured gripper width, m.
    pub fn on_gripper(&mut self, stamp_ns: u64, width_m: f64) -> Option<Decision> {
        self.advance_clock(stamp_ns);
        if let Some(event) = self.gripper.update(stamp_ns, width_m) {
            self.event = Some(event);
        }
        if self.is_active() && self.decides_by_progress(None) {
            let high = self.trigger.is_high() || self.achieved > self.config.lower;
            if high && let Some(reason) = self.grasp_evidence() {
                return Some(self.complete(reason));
            }
        }
        self.on_time(stamp_ns)
    }

    /// Tells whether the keypoints are too old to steer by. Repeating the same state is free.
    pub fn on_keypoints_stale(&mut self, stamp_ns: u64, stale: bool) -> Option<Decision> {
        self.advance_clock(stamp_ns);
        let before = self.guidance();
        self.keypoints_stale = stale;
        let after = self.guidance();
        match (before, after) {
            (true, false) => {
                let reason = "the keypoints are stale: the policy goes on unsteered";
                Some(self.decision(DecisionKind::GuidanceOff, reason.to_owned()))
            }
            (false, true) => {
                let reason = "the keypoints are fresh again";
                Some(self.decision(DecisionKind::GuidanceOn, reason.to_owned()))
            }
            _ => self.on_time(stamp_ns),
        }
    }

    /// Moves the clock, so that a stage can run out of time even when no reading arrives.
    pub fn on_time(&mut self, now_ns: u64) -> Option<Decision> {
        self.advance_clock(now_ns);
        let spent_ns = self.now_ns - self.entered_ns;
        if !self.is_active() || spent_ns < self.config.stage_timeout_ns {
            return None;
        }
        let spent = format!("took {:.1} s", spent_ns as f64 * 1e-9);
        Some(self.overrun(&spent))
    }

    /// Ends a visit that leads nowhere. What a stage stands on (pose, grasp, contact) is often what
    /// keeps it from getting on, so the stage before is repeated; where that was not enough, one more each time.
    fn overrun(&mut self, spent: &str) -> Decision {
        let (stage, most) = (self.stage, self.config.max_back);
        let Some(budget) = self.current_mut() else {
            return self.decision(DecisionKind::Stay, spent.to_owned());
        };
        budget.timeouts += 1;
        budget.in_a_row += 1;
        let (timeouts, back) = (budget.timeouts, budget.in_a_row.min(most).min(stage - 1));
        if timeouts >= self.config.max_timeouts {
            let reason = format!("stage {stage} {spent}, as {timeouts} times in all: giving up");
            return self.end(DecisionKind::GiveUp, reason);
        }
        let (kind, what) = match back {
            0 => (DecisionKind::Stay, "it is entered afresh".to_owned()),
            1 => (DecisionKind::Back, "back one stage".to_owned()),
            _ => (DecisionKind::Back, format!("back {back} stages")),
        };
        self.revisit(stage - back, kind, format!("stage {stage} {spent}: {what}"))
    }

    /// Takes advice if it is for the active visit and names a real stage.
    ///
    /// # Errors
    /// [`AdviceRefusal`] says why it was dropped; nothing has changed then.
    pub fn on_advice(&mut self, advice: &Advice) -> Result<Decision, AdviceRefusal> {
        if !self.is_active() {
            return Err(AdviceRefusal::Inactive);
        }
        if advice.asked_visit != self.visit {
            let (expected, found) = (self.visit, advice.asked_visit);
            return Err(AdviceRefusal::Stale { expected, found });
        }
        let stages = self.num_stages();
        if advice.stage == 0 || advice.stage > stages {
            return Err(AdviceRefusal::NoSuchStage {
                stages,
                found: advice.stage,
            });
        }
        let reason = format!("advice: {}", advice.reason);
        if advice.stage == self.stage {
            return Ok(self.decision(DecisionKind::Stay, reason));
        }
        let visits = self.program[advice.stage as usize - 1].visits;
        if visits >= self.config.max_visits {
            return Err(AdviceRefusal::TooManyVisits {
                stage: advice.stage,
                visits,
            });
        }
        let forward = advice.stage > self.stage;
        let kind = if forward {
            DecisionKind::Advance
        } else {
            DecisionKind::Back
        };
        Ok(self.enter(advice.stage, kind, reason))
    }

    /// The question to put to an adviser, if the visit drags on; at most one a visit.
    pub fn take_query(&mut self) -> Option<Query> {
        let spent_ns = self.now_ns - self.entered_ns;
        if !self.is_active() || self.asked || spent_ns < self.config.query_after_ns {
            return None;
        }
        self.asked = true;
        let trigger = format!(
            "stage {} has taken {:.1} s, progress {:.2}",
            self.stage,
            spent_ns as f64 * 1e-9,
            self.achieved
        );
        Some(Query {
            stage: self.stage,
            visit: self.visit,
            trigger,
        })
    }

    fn is_active(&self) -> bool {
        self.stage > 0 && !self.ended
    }

    fn current(&self) -> Option<&Budget> {
        self.program.get((self.stage as usize).checked_sub(1)?)
    }

    fn current_mut(&mut self) -> Option<&mut Budget> {
        self.program.get_mut((self.stage as usize).checked_sub(1)?)
    }

    /// Stamps of different sources interleave; the machine's time only moves forward.
    fn advance_clock(&mut self, stamp_ns: u64) {
        self.now_ns = self.now_ns.max(stamp_ns);
    }

    fn decides_by_progress(&self, done: Option<f64>) -> bool {
        done.is_none() && !self.current().is_some_and(|budget| budget.info.has_done)
    }

    /// Why the stage is complete, if it is.
    fn evidence(&mut self, reading: &ProgressReading) -> Option<String> {
        let is_done = reading.done.is_some_and(|value| value >= 0.0);
        self.done_streak = if is_done { self.done_streak + 1 } else { 0 };
        self.high_streak = if self.trigger.is_high() {
            self.high_streak + 1
        } else {
            0
        };
        if !self.decides_by_progress(reading.done) {
            return (self.done_streak >= self.config.done_frames).then(|| {
                let value = reading.done.unwrap_or_default();
                format!("done value {value:.3} for {} readings", self.done_streak)
            });
        }
        // An unguided stage has no reward, hence no progress: only the gripper or time ends it.
        let guided = self.current().is_some_and(|budget| budget.info.guided);
        if guided && self.high_streak >= self.config.progress_frames {
            return Some(format!(
                "progress {:.2} reached the upper threshold {}",
                reading.achieved, self.config.upper
            ));
        }
        if !guided || reading.achieved > self.config.lower {
            return self.grasp_evidence();
        }
        None
    }

    /// A gripper event of this visit that is what the stage wants.
    fn grasp_evidence(&self) -> Option<String> {
        let goal = self.current()?.info.gripper?;
        let event = self.event.filter(|event| {
            let fresh_ns = self.now_ns.saturating_sub(event.stamp_ns);
            event.goal == goal
                && event.stamp_ns >= self.entered_ns
                && fresh_ns <= self.config.gripper_memory_ns
        })?;
        let verb = match goal {
            crate::GripperGoal::Close => "closed",
            crate::GripperGoal::Open => "opened",
        };
        Some(format!(
            "the gripper {verb} to {:.0} mm",
            event.width_m * 1e3
        ))
    }

    fn complete(&mut self, reason: String) -> Decision {
        if let Some(budget) = self.current_mut() {
            budget.in_a_row = 0;
        }
        if self.stage == self.num_stages() {
            let reason = format!("the last stage is complete: {reason}");
            return self.end(DecisionKind::Finished, reason);
        }
        let next = self.stage + 1;
        let reason = format!("stage {} is complete: {reason}", self.stage);
        self.revisit(next, DecisionKind::Advance, reason)
    }

    /// What was reached has been lost without the stage having become complete.
    fn slip(&mut self) -> Option<Decision> {
        if !self.config.back_on_slip || self.stage <= 1 {
            return None;
        }
        let reason = format!(
            "progress slipped from above {} to {:.2}: back one stage",
            self.config.upper, self.achieved
        );
        Some(self.revisit(self.stage - 1, DecisionKind::Back, reason))
    }

    /// Enters a stage unless its visits are spent.
    fn revisit(&mut self, stage: u32, kind: DecisionKind, reason: String) -> Decision {
        let visits = self.program[stage as usize - 1].visits;
        if visits >= self.config.max_visits {
            let reason = format!("stage {stage} has had {visits} visits: giving up ({reason})");
            return self.end(DecisionKind::GiveUp, reason);
        }
        self.enter(stage, kind, reason)
    }

    fn enter(&mut self, stage: u32, kind: DecisionKind, reason: String) -> Decision {
        self.stage = stage;
        self.visit += 1;
        self.entered_ns = self.now_ns;
        self.asked = false;
        self.done_streak = 0;
        self.high_streak = 0;
        self.achieved = 0.0;
        self.plateau.reset();
        self.trigger.reset();
        if let Some(budget) = self.current_mut() {
            budget.visits += 1;
        }
        self.decision(kind, reason)
    }

    fn end(&mut self, kind: DecisionKind, reason: String) -> Decision {
        self.ended = true;
        self.decision(kind, reason)
    }

    fn decision(&self, kind: DecisionKind, reason: String) -> Decision {
        Decision {
            kind,
            stage: self.stage,
            visit: self.visit,
            guidance: self.guidance(),
            reason,
        }
    }
}
