num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    transform = torch.eye(4)
    moved = action_sequence @ transform
    return -torch.norm(moved - keypoints[0], dim=-1).mean()
