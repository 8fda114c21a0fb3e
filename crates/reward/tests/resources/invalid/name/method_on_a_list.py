num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    targets = [keypoints[0], keypoints[1]]
    return -torch.norm(action_sequence - targets.mean(dim=0), dim=-1).mean()
