num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    if distance < 0.1:
        scale = torch.tensor([1.0, 1.0])
    else:
        scale = torch.tensor([1.0, 1.0, 2.0])
    return -torch.norm(scale * (action_sequence[0, -1] - keypoints[1]))
