num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    weight = 2.0
    if f"{distance:.2f}" == "0.00":
        weight = 0.5
    return -weight * distance
