//! The dataflow's graph in one process: the three machines, wired as `dataflow.yml` wires the nodes.

use tiller_messages::{
    ArmCommand, ArmState, Candidates, Episode, ExecutionState, Keypoints, Progress, RewardProgram,
    SafetyEvent, StageAdvice, StageCommand, StageQuery,
};

use crate::actuator::{Actuator, ActuatorEffect, ActuatorEvent};
use crate::notice::Notice;
use crate::planning::PlanRequest;
use crate::sampler::{PlanReport, Sampler, SamplerEffect, SamplerEvent};
use crate::switcher::{Movement, Switcher, SwitcherEffect, SwitcherEvent};

/// What comes from outside of the loop.
#[derive(Debug, Clone)]
pub enum LoopEvent {
    /// An episode begins.
    Episode(Episode),
    /// What the arm measured; answered by a [`LoopEffect::Command`].
    Measured(ArmState),
    /// The policy's cameras have seen one moment, at this stamp, ns.
    Observation(u64),
    /// Where the keypoints are.
    Keypoints(Keypoints),
    /// A reward program.
    Program(RewardProgram),
    /// A model's answer to a question.
    Advice(StageAdvice),
    /// What an operator wants of the actuator.
    Order(ActuatorEvent),
    /// Time has passed.
    Time,
}

/// What the loop wants of the outside, or lets it know.
#[derive(Debug, Clone)]
pub enum LoopEffect {
    /// Move the arm.
    Command(ArmCommand),
    /// Plan; hand the result to [`InProcess::planned`].
    Plan(Box<PlanRequest>),
    /// Show the policy the observation of this stamp, ns.
    Observe(u64),
    /// Forget what the policy was shown.
    ForgetHistory,
    /// The stage has changed.
    Stage(StageCommand),
    /// Ask a model.
    Query(StageQuery),
    /// How far the stage is.
    Progress(Progress),
    /// The particles of a plan.
    Candidates(Candidates),
    /// What the actuator is doing.
    Execution(ExecutionState),
    /// What was refused, clamped or stopped.
    Safety(SafetyEvent),
    /// A remark of any machine.
    Tell(Notice),
}

/// The machines and the plans that are being made.
#[derive(Debug)]
pub struct InProcess {
    sampler: Sampler,
    switcher: Switcher,
    actuator: Actuator,
    /// What the arm was doing as the switcher was told last.
    movement: Movement,
    /// Results and when they arrive, ns.
    plans: Vec<(u64, PlanReport)>,
}

enum Message {
    Sampler(SamplerEvent),
    Switcher(SwitcherEvent),
    Actuator(ActuatorEvent),
}

impl InProcess {
    /// The machines as they are.
    #[must_use]
    pub fn new(sampler: Sampler, switcher: Switcher, actuator: Actuator) -> Self {
        Self {
            sampler,
            switcher,
            actuator,
            movement: Movement::default(),
            plans: Vec::new(),
        }
    }

    /// The sampler.
    #[must_use]
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// A plan's result, which the sampler gets at `due_ns`: planning takes time.
    pub fn planned(&mut self, report: PlanReport, due_ns: u64) {
        self.plans.push((due_ns, report));
    }

    /// When the next plan arrives, ns.
    #[must_use]
    pub fn next_plan_ns(&self) -> Option<u64> {
        self.plans.iter().map(|(due_ns, _)| *due_ns).min()
    }

    /// Takes an event at `now_ns`, and before it the plans that are due; gives what is to be done.
    pub fn on(&mut self, event: LoopEvent, now_ns: u64) -> Vec<LoopEffect> {
        let mut messages = Vec::new();
        self.plans
            .sort_by_key(|(due_ns, report)| (*due_ns, report.id));
        let due = self.plans.partition_point(|(due_ns, _)| *due_ns <= now_ns);
        for (_, report) in self.plans.drain(..due) {
            messages.push(Message::Sampler(SamplerEvent::Planned(report)));
        }
        match event {
            LoopEvent::Episode(episode) => {
                messages.push(Message::Switcher(SwitcherEvent::Episode(episode.clone())));
                messages.push(Message::Sampler(SamplerEvent::Episode(episode)));
            }
            LoopEvent::Measured(state) => {
                messages.push(Message::Actuator(ActuatorEvent::Measured(state)));
            }
            LoopEvent::Observation(stamp_ns) => {
                messages.push(Message::Sampler(SamplerEvent::Observation { stamp_ns }));
            }
            LoopEvent::Keypoints(keypoints) => {
                messages.push(Message::Sampler(SamplerEvent::Keypoints(keypoints)));
            }
            LoopEvent::Program(program) => {
                messages.push(Message::Switcher(SwitcherEvent::Program(program.clone())));
                messages.push(Message::Sampler(SamplerEvent::Program(program)));
            }
            LoopEvent::Advice(advice) => {
                messages.push(Message::Switcher(SwitcherEvent::Advice(advice)));
            }
            LoopEvent::Order(order) => messages.push(Message::Actuator(order)),
            LoopEvent::Time => messages.push(Message::Sampler(SamplerEvent::Time)),
        }
        self.run(messages, now_ns)
    }

    /// Delivers messages in the order in which they are sent until none is left.
    fn run(&mut self, messages: Vec<Message>, now_ns: u64) -> Vec<LoopEffect> {
        let mut effects = Vec::new();
        let mut queue = std::collections::VecDeque::from(messages);
        while let Some(message) = queue.pop_front() {
            match message {
                Message::Sampler(event) => {
                    let mut sent = Vec::new();
                    self.sampler.on(event, now_ns, &mut sent);
                    for effect in sent {
                        route_sampler(effect, &mut queue, &mut effects);
                    }
                }
                Message::Switcher(event) => {
                    let mut sent = Vec::new();
                    self.switcher.on(event, &mut sent);
                    for effect in sent {
                        match effect {
                            SwitcherEffect::Stage(stage) => {
                                effects.push(LoopEffect::Stage(stage.clone()));
                                queue.push_back(Message::Sampler(SamplerEvent::Stage(stage)));
                            }
                            SwitcherEffect::Query(query) => effects.push(LoopEffect::Query(query)),
                            SwitcherEffect::Tell(notice) => effects.push(LoopEffect::Tell(notice)),
                        }
                    }
                }
                Message::Actuator(event) => {
                    let mut sent = Vec::new();
                    self.actuator.on(event, now_ns, &mut sent);
                    for effect in sent {
                        self.tell_movement(&effect, &mut queue);
                        route_actuator(effect, &mut queue, &mut effects);
                    }
                }
            }
        }
        effects
    }

    /// The switcher is told when the arm does something else.
    fn tell_movement(
        &mut self,
        effect: &ActuatorEffect,
        queue: &mut std::collections::VecDeque<Message>,
    ) {
        let ActuatorEffect::Execution(execution) = effect else {
            return;
        };
        let movement = Movement::from(execution.mode);
        if std::mem::replace(&mut self.movement, movement) != movement {
            queue.push_back(Message::Switcher(SwitcherEvent::Movement(movement)));
        }
    }
}

fn route_sampler(
    effect: SamplerEffect,
    queue: &mut std::collections::VecDeque<Message>,
    effects: &mut Vec<LoopEffect>,
) {
    match effect {
        SamplerEffect::Observe { stamp_ns } => effects.push(LoopEffect::Observe(stamp_ns)),
        SamplerEffect::ForgetHistory => effects.push(LoopEffect::ForgetHistory),
        SamplerEffect::Plan(request) => effects.push(LoopEffect::Plan(request)),
        SamplerEffect::Chunk(chunk) => {
            queue.push_back(Message::Actuator(ActuatorEvent::Chunk(chunk)));
        }
        SamplerEffect::Candidates(candidates) => {
            effects.push(LoopEffect::Candidates(candidates));
        }
        SamplerEffect::Progress(progress) => {
            effects.push(LoopEffect::Progress(progress.clone()));
            queue.push_back(Message::Switcher(SwitcherEvent::Progress(progress)));
        }
        SamplerEffect::Tell(notice) => effects.push(LoopEffect::Tell(notice)),
        // Programs are not proposed here.
        SamplerEffect::Rehearse(_) | SamplerEffect::DryPlan(_) => {}
    }
}

fn route_actuator(
    effect: ActuatorEffect,
    queue: &mut std::collections::VecDeque<Message>,
    effects: &mut Vec<LoopEffect>,
) {
    match effect {
        ActuatorEffect::Command(command) => effects.push(LoopEffect::Command(command)),
        ActuatorEffect::Arm(arm) => {
            queue.push_back(Message::Switcher(SwitcherEvent::Arm(arm.clone())));
            queue.push_back(Message::Sampler(SamplerEvent::Arm(arm)));
        }
        ActuatorEffect::Execution(execution) => {
            effects.push(LoopEffect::Execution(execution.clone()));
            queue.push_back(Message::Sampler(SamplerEvent::Execution(execution)));
        }
        // Only an arm that keeps its own time is given these.
        ActuatorEffect::Setpoint(..) => {}
        ActuatorEffect::Safety(event) => effects.push(LoopEffect::Safety(event)),
        ActuatorEffect::Tell(notice) => effects.push(LoopEffect::Tell(notice)),
    }
}

#[cfg(test)]
mod tests;
