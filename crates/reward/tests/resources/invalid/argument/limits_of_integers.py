num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    largest = torch.finfo(torch.int32).max
    return -torch.norm(action_sequence - keypoints[0], dim=-1).clamp(max=largest).mean()
