num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    nested = [1.0]
    for k in range(40):
        nested = [nested]
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -torch.tensor(nested).sum() * distance.mean()
