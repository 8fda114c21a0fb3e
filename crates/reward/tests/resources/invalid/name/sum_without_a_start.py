num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    for k in range(len(keypoints)):
        total += torch.norm(action_sequence[:, -1] - keypoints[k])
    return -total
