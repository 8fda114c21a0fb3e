num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    kernel = torch.eye(15) + 0.1
    distance = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(torch.linalg.inv(kernel) @ distance[0]).mean()
