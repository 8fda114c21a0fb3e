num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    distance = distance.clone()
    distance[0, distance[0] < 0.1] = torch.zeros(2)
    return -distance.mean()
