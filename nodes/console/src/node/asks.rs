//! What the page asks for.

use std::time::{SystemTime, UNIX_EPOCH};

use eyre::Result;
use serde_json::{Value, json};
use tiller_core::{EpisodeId, ProgramId};
use tiller_messages::{Approval, Level, StageAdvice};
use tiller_node_kit::Outbox;
use tiller_page::{Ask, Judgement, Verdict};

use super::{Console, RECORDED};
use crate::request::Kind;

impl Console {
    /// Answers everything that has been asked.
    pub(super) fn answer_page(&mut self, outbox: &mut Outbox) -> Result<()> {
        while let Some((ask, answer)) = self.web.as_ref().and_then(|web| web.asks.try_recv().ok()) {
            let value = self.obey(ask, outbox)?;
            // A page that has gone has what it asked for all the same.
            let _ = answer.send(value);
            self.is_news = true;
        }
        Ok(())
    }

    fn obey(&mut self, ask: Ask, outbox: &mut Outbox) -> Result<Value> {
        if self.view.page.is_recording()
            && matches!(ask, Ask::Order(_) | Ask::Say { .. } | Ask::Judge { .. })
        {
            return Ok(json!({ "error": RECORDED }));
        }
        Ok(match ask {
            Ask::Order(kind) => {
                let word = kind.as_str();
                let reason = format!("requested by an operator (the page's `{word}`)");
                let (id, _) = self.order(kind, reason, outbox)?;
                self.awaited = Some(id);
                // Those who follow the page's word have nothing between a stop and a start.
                match kind {
                    Kind::Stop | Kind::Pause => outbox.send_text("arm_command", "stop")?,
                    Kind::Resume if self.view.page.is_paused() => {
                        outbox.send_text("arm_command", "start")?;
                    }
                    Kind::Resume | Kind::Arm => {}
                }
                json!({ "order": id.to_string() })
            }
            Ask::Say { instruction, seed } => {
                let id = self.say(instruction, seed, outbox)?;
                json!({ "episode": id.0.to_string() })
            }
            Ask::Decide {
                program,
                decision,
                text,
                reason,
            } => {
                let newest = self.view.page.proposal().map(|proposal| proposal.id);
                if newest != Some(program) {
                    return Ok(too_late(program));
                }
                let approval = Approval {
                    program,
                    decision,
                    text,
                    reason,
                    ..Default::default()
                };
                outbox.send("approval", approval)?;
                let text = format!("an operator's word on {program}: {}", decision.as_str());
                outbox.tell(Level::Info, "decided", text)?;
                json!({ "decision": decision.as_str() })
            }
            Ask::Stage {
                program,
                visit,
                stage,
            } => {
                if !self.view.page.is_under_way(program, visit) {
                    return Ok(too_late(program));
                }
                let advice = StageAdvice {
                    program,
                    visit,
                    stage,
                    reason: "an operator wants it".to_owned(),
                    ..Default::default()
                };
                outbox.send("stage_advice", advice)?;
                let text = format!("an operator wants stage {stage} of {program}");
                outbox.tell(Level::Info, "stage", text)?;
                json!({ "stage": stage })
            }
            Ask::Judge {
                episode,
                verdict,
                note,
            } => self.judge(episode, verdict, note, outbox)?,
        })
    }

    fn judge(
        &mut self,
        id: EpisodeId,
        verdict: Verdict,
        note: String,
        outbox: &mut Outbox,
    ) -> Result<Value> {
        let page = &self.view.page;
        let under_way = page.episode(self.started.elapsed());
        let Some((episode, duration)) = under_way.filter(|(episode, _)| episode.id == id) else {
            return Ok(json!({ "error": format!("{id} is not under way any more") }));
        };
        let Some(evaluation) = &mut self.evaluation else {
            return Ok(
                json!({ "error": "verdicts cannot be kept; the console's `evaluation` event says why" }),
            );
        };
        let author = page.proposal().filter(|it| it.episode == id);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let judgement = Judgement {
            time_s: since_epoch.map_or(0.0, |time| time.as_secs_f64()),
            run: evaluation.run().to_owned(),
            episode: id.0,
            instruction: episode.instruction.clone(),
            seed: episode.seed,
            tasks: episode.tasks.clone(),
            verdict,
            note,
            oracle: page.oracle(id),
            author: author.map(|it| it.source.clone()),
            duration_s: duration.as_secs_f64(),
        };
        let text = format!("an operator's verdict on {id}: {verdict:?}");
        if let Err(error) = evaluation.judge(judgement) {
            let error = format!("the verdict is not on the disk: {error}");
            outbox.tell(Level::Warning, "evaluation", error.clone())?;
            return Ok(json!({ "error": error }));
        }
        outbox.send_text("arm_command", "stop")?;
        outbox.tell(Level::Info, "judged", text)?;
        Ok(json!({ "episode": id.0.to_string() }))
    }
}

fn too_late(program: ProgramId) -> Value {
    json!({ "error": format!("{program} is not what the page shows any more") })
}
