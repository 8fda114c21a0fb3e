num_stages = 1

# Stage 1: grasp the block
def stage1_guidance(keypoints, action_sequence, rotations):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -distance.mean()
