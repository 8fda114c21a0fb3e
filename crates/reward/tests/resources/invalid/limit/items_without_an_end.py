import itertools

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    total = 0.0
    for i in itertools.count():
        total = total + torch.norm(action_sequence[:, i] - keypoints[0])
    return -total
