num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    near = [1.0, 0.5]
    far = [2.0, 0.1]
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    weights = near if distance < 0.1 else far
    weights[0] = 3.0
    return -weights[0] * distance - weights[1] * action_sequence[0, -1, 2]
