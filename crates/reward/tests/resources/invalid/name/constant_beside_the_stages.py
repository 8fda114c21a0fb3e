LIFT = torch.tensor([0.0, 0.0, CLEARANCE])

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence - keypoints[0] - LIFT, dim=-1).mean()
