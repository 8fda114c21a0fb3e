num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    distance = torch.norm(action_sequence[0, -1] - keypoints[0])
    match distance < 0.1:
        case True:
            weight = 0.5
        case False:
            weight = 2.0
    return -weight * distance
