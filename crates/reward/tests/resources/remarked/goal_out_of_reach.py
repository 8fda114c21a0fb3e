num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    goal = torch.tensor([1.2, 0.0, 0.3])
    return -torch.norm(action_sequence - goal, dim=-1).mean()
