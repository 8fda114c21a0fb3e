stages = ['reach', 'lift']
num_stages = len(stages)

def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
