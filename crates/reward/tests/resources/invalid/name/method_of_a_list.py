num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    targets = [keypoints[0], keypoints[1]]
    targets.push(keypoints[2])
    return -torch.norm(action_sequence[0, -1] - torch.stack(targets), dim=-1).mean()
