num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    final = action_sequence[:, -1].unsqueeze(4)
    return -torch.norm(final.squeeze() - keypoints[0])
