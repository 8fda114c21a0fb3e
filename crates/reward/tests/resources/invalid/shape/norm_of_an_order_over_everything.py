num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.linalg.norm(action_sequence - keypoints[0], ord=2)
    return -distance.mean()
