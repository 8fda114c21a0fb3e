num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    motion = action_sequence[:, -1] - action_sequence[:, 0]
    direction = motion / torch.norm(motion, dim=-1, keepdim=True)
    goal = F.normalize(keypoints[1] - keypoints[0], dim=-1)
    return (direction * goal).sum(dim=-1).mean()
