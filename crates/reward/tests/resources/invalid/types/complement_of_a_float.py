num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    is_near = (distance < 0.1).float()
    return -(distance * ~is_near).mean()
