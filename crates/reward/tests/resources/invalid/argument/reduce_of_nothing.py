from functools import reduce

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    near = [k for k in keypoints[:0]]
    return -reduce(torch.minimum, [torch.norm(action_sequence - k) for k in near])
