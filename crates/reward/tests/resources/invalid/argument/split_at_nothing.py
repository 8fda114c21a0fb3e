num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    names = "lid cup".split("")
    return -torch.norm(action_sequence - keypoints[len(names)], dim=-1).mean()
