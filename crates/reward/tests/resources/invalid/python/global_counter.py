calls = 0

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    global calls
    calls = calls + 1
    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()
