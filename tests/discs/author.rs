//! Writes reward programs for the world of discs.

use tiller_vlm::{Answer, Author, AuthorError, AuthorRequest};

/// Knows one sentence: `push the .. disc`.
#[derive(Debug)]
pub(crate) struct DiscAuthor;

impl Author for DiscAuthor {
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError> {
        let named = |name: &str| request.instruction == format!("push the {name}");
        let found = request.keypoints.iter().find(|point| named(&point.name));
        let Some(disc) = found.map(|point| point.index) else {
            return Ok(Answer {
                text: String::new(),
                source: "discs".to_owned(),
                understood: None,
            });
        };
        let text = format!(
            "import torch\n\nnum_stages = 2\n\n\n\
             # Stage 1: behind the disc\n\
             def stage1_guidance(keypoints, action_sequence):\n    \
             goal = keypoints[{disc}] + torch.tensor([-0.08, 0.0, 0.03])\n    \
             return -(action_sequence[:, 1:] - goal).norm(dim=-1).mean()\n\n\n\
             def stage1_done(keypoints, start_keypoints, end_effector):\n    \
             goal = keypoints[{disc}] + torch.tensor([-0.08, 0.0, 0.03])\n    \
             return 0.02 - (end_effector - goal).norm()\n\n\n\
             # Stage 2: push it away\n\
             def stage2_guidance(keypoints, action_sequence):\n    \
             goal = keypoints[{disc}] + torch.tensor([0.04, 0.0, 0.03])\n    \
             return -(action_sequence[:, 1:] - goal).norm(dim=-1).mean()\n\n\n\
             def stage2_done(keypoints, start_keypoints, end_effector):\n    \
             return (keypoints[{disc}] - start_keypoints[{disc}])[0] - 0.1\n"
        );
        Ok(Answer {
            text,
            source: "discs".to_owned(),
            understood: Some(request.instruction.clone()),
        })
    }
}
