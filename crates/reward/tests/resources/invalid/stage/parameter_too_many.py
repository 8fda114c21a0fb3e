num_stages = 1

def stage1_guidance(keypoints, action_sequence, gripper_force):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
