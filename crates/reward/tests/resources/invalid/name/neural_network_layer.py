num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    layer = torch.nn.Linear(3, 1)
    return layer(action_sequence).mean()
