num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    middle = keypoints[[1, 2, 3]].mean(dim=0)
    return -torch.norm(action_sequence - middle, dim=-1).mean()
