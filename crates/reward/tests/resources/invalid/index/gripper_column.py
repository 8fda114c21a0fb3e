num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    gripper = action_sequence[..., 6]
    return -torch.norm(action_sequence[..., :3] - keypoints[0], dim=-1).mean() - gripper.mean()
