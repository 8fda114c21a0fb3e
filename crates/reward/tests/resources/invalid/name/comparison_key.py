import functools

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    heights = sorted([0.3, 0.1], key=functools.cmp_to_key(lambda a, b: a - b))
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -heights[0] * distance.mean()
