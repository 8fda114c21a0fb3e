num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()


def stage1_done(keypoints, start_keypoints, end_effector):
    return keypoints[3, 2] - start_keypoints[3, 2] - 0.05
