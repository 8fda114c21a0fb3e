num_stages = 2

def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()

def stage1_guidance(keypoints, action_sequence):
    return action_sequence[..., 2].mean()
