num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    class Target:
        position = keypoints[0]
    return -torch.norm(action_sequence - Target.position, dim=-1).mean()
