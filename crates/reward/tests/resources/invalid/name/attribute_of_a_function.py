import itertools

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    reach = itertools.chain.of([1.0], [0.5])
    return -sum(reach) * torch.norm(action_sequence - keypoints[0], dim=-1).mean()
