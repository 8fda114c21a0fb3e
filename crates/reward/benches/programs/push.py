num_stages = 1
# Stage 1: push the block straight to the goal, from behind it and clear of everything else
def stage1_guidance(keypoints, action_sequence):
    block, goal, others = keypoints[0], keypoints[1], keypoints[2:]
    direction = F.normalize(goal - block, dim=0)
    contact = block - 0.03 * direction
    relative = action_sequence - contact
    # Contact anchoring: progress counts only while the hand is near the contact point.
    to_contact = torch.norm(relative, dim=-1)
    anchored = torch.exp(-to_contact / 0.05)
    progress = (relative * direction).sum(dim=-1)
    # Anti-backtracking: falling behind the best progress so far costs.
    best, _ = torch.cummax(progress, dim=1)
    backtracking = (best - progress).sum(dim=1)
    # Perpendicular drift from the line through the contact point.
    drift = torch.norm(relative - progress.unsqueeze(-1) * direction, dim=-1)
    # Clearance of the six other keypoints.
    clearance = torch.norm(action_sequence.unsqueeze(2) - others, dim=-1)
    intrusion = torch.relu(0.08 - clearance).sum(dim=(1, 2))
    gain = (progress * anchored).sum(dim=1) + progress[:, -1] - to_contact[:, 0]
    return gain - 2.0 * backtracking - 5.0 * drift.mean(dim=1) - 3.0 * intrusion
